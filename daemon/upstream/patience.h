// How long an exchange is waited for. Internal to upstream/.
#pragma once

#include <chrono>
#include <optional>

#include "daemon/upstream/transport.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::upstream {

// The time until then, rounded up, for poll(): never negative, and an hour at most, since poll takes an int; whoever
// waits longer looks again.
Millis left_until(SteadyTime until);

// For the first byte of the body, and then between two of them. One thread.
class Patience {
 public:
  explicit Patience(const Request& request)
      : m_request(request), m_first_byte_by(std::chrono::steady_clock::now() + request.first_byte_timeout) {}

  // The idle time counts from the first waiting after the newest bytes were taken.
  SteadyTime end();
  void bytes_were_taken();
  Error run_out() const;

 private:
  const Request& m_request;
  SteadyTime m_first_byte_by;
  bool m_got_bytes = false;
  std::optional<SteadyTime> m_idle_by;
};

}  // namespace nemo::upstream
