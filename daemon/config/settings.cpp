#include "daemon/config/settings.h"

#include <algorithm>

namespace nemo::config {

const Upstream* Settings::find_upstream(const std::string& name) const {
  const auto at =
      std::find_if(upstreams.begin(), upstreams.end(), [&](const Upstream& each) { return each.name == name; });
  return at == upstreams.end() ? nullptr : &*at;
}

}  // namespace nemo::config
