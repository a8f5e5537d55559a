// What a failed exchange says, in words that tell what to do. Internal to upstream/.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/upstream/transport.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::upstream {

// "api.example.com:443" of a URL, for messages.
std::string host_of(std::string_view url);

// "Upstream … could not answer: <advice> (<detail>)." Holds no secret, whatever `detail` does.
Error could_not_answer(std::string_view url, std::string_view advice, std::string_view detail = {},
                       ErrorKind kind = ErrorKind::upstream_error);

// How long an exchange waits for upstream: for the first byte of the body, and then between two of them. One thread.
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
