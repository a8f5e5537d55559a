// Owns: calls and tokens of the last minute and calls at once, by scope, and the answer to "may this call start now?".
// Must not know: money, HTTP, where limits rest.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "daemon/call/scope.h"
#include "daemon/call/terms.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::limits {

class Limiter;

// A call that was let in. Gives its place among the calls at once back when it goes; its request and its tokens stay in
// the minute. One thread at a time.
class Admission {
 public:
  Admission() noexcept;
  Admission(Admission&&) noexcept;
  Admission& operator=(Admission&&) noexcept;
  ~Admission();

  // The real tokens in place of the estimate, if the call began within the last minute. At most once.
  void correct(std::int64_t tokens);
  // Takes the request and the tokens out of the minute: the call was not made after all (refused by a budget).
  void withdraw();

 private:
  friend class Limiter;
  struct State;
  explicit Admission(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;  // null: no limit applies
};

// For x-ratelimit-*: of the scope with the least left. Absent: no such limit.
struct Gauge {
  std::int64_t limit = 0;
  std::int64_t remaining = 0;
  std::chrono::milliseconds reset{0};  // until all of it is there again
};
struct Gauges {
  std::optional<Gauge> requests;
  std::optional<Gauge> tokens;
};

// Any thread. A minute is the last 60 seconds, not one of the clock.
class Limiter {
 public:
  explicit Limiter(const Clock& clock);
  ~Limiter();  // every Admission is gone by then
  Limiter(const Limiter&) = delete;
  Limiter& operator=(const Limiter&) = delete;

  // In force with the next admit(). What was counted stays counted.
  void configure(const std::map<call::Scope, call::RateLimits>& limits);

  // At most one scope of a kind; a call counts in those that have limits now. In all of them or in none: a refused call
  // consumes nothing. `tokens` is an estimate; one above a whole limit waits for an empty minute instead of for ever.
  // Errors: rate_limit_exceeded, tpm_limit_exceeded, too_many_parallel; the message names the scope, the limit and its
  // value, and retry_after_s is the first whole second at which the same call would be let in (1 for calls at once;
  // absent for a limit of 0, which no waiting changes).
  Result<Admission> admit(const call::Scopes& scopes, std::int64_t tokens);

  Gauges gauges(const call::Scopes& scopes) const;

 private:
  friend class Admission;
  class Minutes;
  std::unique_ptr<Minutes> m_minutes;
};

}  // namespace nemo::limits
