#include "daemon/catalog/anthropic_name.h"

namespace nemo::catalog {

std::string anthropic_name(std::string_view catalog_id) {
  const auto at = catalog_id.rfind('@');
  if (at == std::string_view::npos) return std::string(catalog_id);
  std::string name(catalog_id.substr(0, at));
  const std::string_view version = catalog_id.substr(at + 1);
  if (!version.empty() && version != "default") name.append("-").append(version);
  return name;
}

}  // namespace nemo::catalog
