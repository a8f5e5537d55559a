// Whose work a call is: the process that made it, and the project and branch that it works in.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "shared/guarded.h"

namespace nemo::call {

// Each empty where nobody knows.
struct Origin {
  std::string process;  // "claude", "node", …
  std::string project;  // the root folder of its git work tree, a whole path: shown only to who asks for it
  std::string branch;   // that is checked out there

  friend bool operator==(const Origin&, const Origin&) = default;
};

// What a project is called where its path must not be seen: the path's last component.
std::string project_name(std::string_view path);

// One connection's origin: filled by who finds it, read by its calls. Any thread.
class OriginSlot {
 public:
  void set(Origin origin) {
    m_origin.with([&](Origin& mine) { mine = std::move(origin); });
  }
  Origin get() const {
    return m_origin.with([](const Origin& mine) { return mine; });
  }

 private:
  Guarded<Origin> m_origin;
};

// A port. Any thread.
class OriginFinder {
 public:
  virtual ~OriginFinder() = default;
  // Returns at once and keeps nothing of the descriptor. The slot is set later, or never: what cannot be found stays
  // as it is.
  virtual void find(int client_fd, std::shared_ptr<OriginSlot> slot) = 0;
};

}  // namespace nemo::call
