// Connections to servers on this machine: those being made, and those kept open after an answer. Internal to upstream/.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/upstream/local/target.h"
#include "shared/file_descriptor.h"

namespace nemo::upstream::local {

// A socket that does not block; it may still be connecting, and is writable when it no longer is. Not valid: errno
// says why. `which`: a name may have several addresses, which are to be tried in turn until address_count().
FileDescriptor connect_to(const Target& target, std::size_t which);
std::size_t address_count(const Target& target);

// Any thread.
class Connections {
 public:
  // The one used last for that place, if it is still open.
  std::optional<FileDescriptor> take(std::string_view place);
  void keep(std::string_view place, FileDescriptor connection);
  void forget();

 private:
  struct Kept {
    std::string place;
    FileDescriptor connection;
  };

  std::mutex m_mutex;
  std::vector<Kept> m_kept;  // used last: at the end
};

}  // namespace nemo::upstream::local
