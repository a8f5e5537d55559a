#include "daemon/upstream/failure.h"

#include "shared/secret.h"

namespace nemo::upstream {

std::string host_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  const auto at = url.substr(0, url.find('/')).rfind('@');
  if (at != std::string_view::npos) url.remove_prefix(at + 1);
  return std::string(url.substr(0, url.find_first_of("/?")));
}

Error could_not_answer(std::string_view url, std::string_view advice, std::string_view detail, ErrorKind kind) {
  std::string message = "Upstream " + host_of(url) + " could not answer: ";
  message.append(advice);
  if (!detail.empty()) message.append(" (").append(detail).append(")");
  return fail(kind, redact(message.append(".")));
}

}  // namespace nemo::upstream
