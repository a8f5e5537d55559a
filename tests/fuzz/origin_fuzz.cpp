// Any bytes as the kernel's list of sockets and as git's small files: nothing is read beyond them, and what is found is
// a part of them.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/origin/socket_list.h"
#include "daemon/origin/work_tree.h"
#include "tests/fuzz/require.h"

using namespace nemo::origin;

namespace {

bool is_part_of(std::string_view whole, std::string_view part) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  SocketList sockets(text);
  std::size_t lines = 0;
  while (const auto socket = sockets.next()) {
    REQUIRE_RULE(is_part_of(text, socket->name));
    REQUIRE_RULE(socket->name.find(' ') != std::string_view::npos);
    REQUIRE_RULE(socket->inode != 0);
    REQUIRE_RULE(++lines <= size);
  }
  const std::string branch = branch_of(text);
  REQUIRE_RULE(branch.find('\n') == std::string::npos);
  REQUIRE_RULE(branch.empty() || text.find(branch) != std::string::npos);
  if (const auto folder = git_folder_of(text)) REQUIRE_RULE(folder->string().find('\0') == std::string::npos);
  return 0;
}
