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

SteadyTime Patience::end() {
  if (!m_got_bytes) return m_first_byte_by;
  if (!m_idle_by) m_idle_by = std::chrono::steady_clock::now() + m_request.idle_timeout;
  return *m_idle_by;
}

void Patience::bytes_were_taken() {
  m_got_bytes = true;
  m_idle_by.reset();
}

Error Patience::run_out() const {
  const auto limit = m_got_bytes ? m_request.idle_timeout : m_request.first_byte_timeout;
  return fail(ErrorKind::upstream_timeout, "Upstream " + host_of(m_request.url) +
                                               (m_got_bytes ? " sent nothing more for " : " sent no answer within ") +
                                               std::to_string(limit.count()) + " ms.");
}

}  // namespace nemo::upstream
