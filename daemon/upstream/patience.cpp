#include "daemon/upstream/patience.h"

#include <algorithm>
#include <string>

#include "daemon/upstream/failure.h"

namespace nemo::upstream {

Millis left_until(SteadyTime until) {
  const auto left = std::chrono::ceil<Millis>(until - std::chrono::steady_clock::now());
  return std::clamp(left, Millis(0), Millis(std::chrono::hours(1)));
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
