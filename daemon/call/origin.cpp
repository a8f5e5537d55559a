#include "daemon/call/origin.h"

namespace nemo::call {

std::string project_name(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path.size() <= 1) return std::string(path);
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace nemo::call
