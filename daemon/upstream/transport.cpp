#include "daemon/upstream/transport.h"

namespace nemo::upstream {

const std::string* Head::find(std::string_view name) const {
  for (const Header& header : headers) {
    if (header.name == name) return &header.value;
  }
  return nullptr;
}

}  // namespace nemo::upstream
