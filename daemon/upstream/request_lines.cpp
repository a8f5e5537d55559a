#include "daemon/upstream/request_lines.h"

#include "shared/version.h"

namespace nemo::upstream {

const std::string& user_agent() {
  static const std::string k_name = "nemo/" + std::string(version());
  return k_name;
}

bool is_one_line(std::string_view header) {
  return header.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace nemo::upstream
