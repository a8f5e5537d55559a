#include "daemon/limits/limiter.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "daemon/limits/minute.h"
#include "daemon/limits/refusal.h"

namespace nemo::limits {
namespace {

// Far above any context window, and so small that a minute full of such calls can be summed.
constexpr std::int64_t k_most_tokens = 1'000'000'000'000;

std::int64_t sane(std::int64_t tokens) {
  return std::clamp<std::int64_t>(tokens, 0, k_most_tokens);
}

struct ScopeHash {
  std::size_t operator()(const call::Scope& scope) const {
    return std::hash<std::string>()(scope.name) ^ static_cast<std::size_t>(scope.kind);
  }
};

struct Tally {
  call::RateLimits limits;
  Minute minute;
  std::int64_t running = 0;  // one for each Admission that points here
};

constexpr std::size_t k_kinds = 3;
using Tallies = std::array<Tally*, k_kinds>;  // by call::ScopeKind; null: no limits

std::int64_t seconds_until(SteadyTime then, SteadyTime now) {
  return std::chrono::ceil<std::chrono::seconds>(then - now).count();
}

// How long until `need` more fits into what is left of `limit` in the minute.
std::int64_t wait_for(const Minute& minute, Measure measure, std::int64_t limit, std::int64_t need, SteadyTime now) {
  if (limit <= 0) return Refusal::k_never;
  const std::int64_t left = limit - std::min(need, limit);
  if (minute.used().*measure <= left) return 0;
  return seconds_until(minute.when_at_most(measure, left), now);
}

std::int64_t wait_for_place(const Tally& tally, std::int64_t limit) {
  if (limit <= 0) return Refusal::k_never;
  return tally.running < limit ? 0 : 1;
}

// The limit that keeps the call out the longest; a wait of 0 if none does.
Refusal hardest_of(const Tally& tally, std::int64_t tokens, SteadyTime now) {
  Refusal hardest;
  const auto consider = [&hardest](ErrorKind kind, std::int64_t limit, std::int64_t wait_s) {
    if (wait_s > hardest.wait_s) hardest = {kind, std::max<std::int64_t>(limit, 0), wait_s};
  };
  const call::RateLimits& limits = tally.limits;
  if (const auto limit = limits.requests_per_minute) {
    consider(ErrorKind::rate_limit_exceeded, *limit, wait_for(tally.minute, &Amounts::requests, *limit, 1, now));
  }
  if (const auto limit = limits.tokens_per_minute) {
    consider(ErrorKind::tpm_limit_exceeded, *limit, wait_for(tally.minute, &Amounts::tokens, *limit, tokens, now));
  }
  if (const auto limit = limits.parallel) {
    consider(ErrorKind::too_many_parallel, *limit, wait_for_place(tally, *limit));
  }
  return hardest;
}

void tighten(std::optional<Gauge>& gauge, const Minute& minute, Measure measure, std::optional<std::int64_t> limit,
             SteadyTime now) {
  if (!limit) return;
  const std::int64_t most = std::max<std::int64_t>(*limit, 0);
  const std::int64_t remaining = std::max<std::int64_t>(most - minute.used().*measure, 0);
  const auto reset = std::chrono::ceil<std::chrono::milliseconds>(minute.when_unused(measure, now) - now);
  const bool tighter =
      !gauge || remaining < gauge->remaining || (remaining == gauge->remaining && reset > gauge->reset);
  if (tighter) gauge = Gauge{most, remaining, reset};
}

}  // namespace

class Limiter::Minutes {
 public:
  explicit Minutes(const Clock& clock) : m_clock(clock) {}

  void configure(const std::map<call::Scope, call::RateLimits>& limits);
  Result<Admission> admit(const call::Scopes& scopes, std::int64_t tokens);
  Gauges gauges(const call::Scopes& scopes);
  void add(const Tallies& tallies, SteadyTime at, Amounts change);
  void leave(const Tallies& tallies);

 private:
  struct Answer {
    Refusal refusal;
    const call::Scope* refused_by = nullptr;  // null: come in
  };

  Answer ask(const call::Scopes& scopes, const Tallies& tallies, std::int64_t tokens, SteadyTime now);
  Admission let_in(const Tallies& tallies, std::int64_t tokens, SteadyTime now);
  Tally* limited(const call::Scope& scope);  // null: no limits
  Tallies limited(const call::Scopes& scopes);

  const Clock& m_clock;
  std::atomic<bool> m_any{false};  // is any scope limited? Read without the lock
  std::mutex m_mutex;
  std::unordered_map<call::Scope, Tally, ScopeHash> m_tallies;
};

struct Admission::State {
  Limiter::Minutes& minutes;
  Tallies tallies;
  SteadyTime at;
  Amounts counted;
  bool inside = false;

  State(Limiter::Minutes& its_minutes, const Tallies& its_tallies, SteadyTime now, std::int64_t tokens)
      : minutes(its_minutes), tallies(its_tallies), at(now), counted{1, tokens} {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (inside) minutes.leave(tallies);
  }
};

void Limiter::Minutes::configure(const std::map<call::Scope, call::RateLimits>& limits) {
  const std::lock_guard lock(m_mutex);
  const SteadyTime now = m_clock.steady();
  for (auto& [scope, tally] : m_tallies) {
    tally.limits = {};
    tally.minute.forget_before(now);
  }
  bool any = false;
  for (const auto& [scope, its_limits] : limits) {
    if (!its_limits.any()) continue;
    m_tallies[scope].limits = its_limits;
    any = true;
  }
  std::erase_if(m_tallies, [](const auto& one) {
    const Tally& tally = one.second;
    return !tally.limits.any() && tally.running == 0 && tally.minute.entries() == 0;
  });
  m_any = any;
}

Tally* Limiter::Minutes::limited(const call::Scope& scope) {
  const auto found = m_tallies.find(scope);
  return found == m_tallies.end() || !found->second.limits.any() ? nullptr : &found->second;
}

Tallies Limiter::Minutes::limited(const call::Scopes& scopes) {
  Tallies tallies{};
  for (const call::Scope& scope : scopes) tallies.at(static_cast<std::size_t>(scope.kind)) = limited(scope);
  return tallies;
}

Limiter::Minutes::Answer Limiter::Minutes::ask(const call::Scopes& scopes, const Tallies& tallies, std::int64_t tokens,
                                               SteadyTime now) {
  Answer answer;
  for (const call::Scope& scope : scopes) {
    Tally* tally = tallies.at(static_cast<std::size_t>(scope.kind));
    if (tally == nullptr) continue;
    tally->minute.forget_before(now);
    const Refusal its = hardest_of(*tally, tokens, now);
    if (its.wait_s > answer.refusal.wait_s) answer = {its, &scope};
  }
  return answer;
}

Admission Limiter::Minutes::let_in(const Tallies& tallies, std::int64_t tokens, SteadyTime now) {
  // All that can fail comes before the first change.
  auto state = std::make_unique<Admission::State>(*this, tallies, now, tokens);
  for (Tally* tally : tallies) {
    if (tally != nullptr) tally->minute.open_slot(now);
  }
  for (Tally* tally : tallies) {
    if (tally == nullptr) continue;
    tally->minute.add(now, state->counted);
    ++tally->running;
  }
  state->inside = true;
  return Admission(std::move(state));
}

Result<Admission> Limiter::Minutes::admit(const call::Scopes& scopes, std::int64_t tokens) {
  if (!m_any.load(std::memory_order_acquire)) return Admission();
  std::unique_lock lock(m_mutex);
  const Tallies tallies = limited(scopes);
  if (tallies == Tallies{}) return Admission();
  // Read under the lock: the minutes' entries come in the order of time.
  const SteadyTime now = m_clock.steady();
  const Answer answer = ask(scopes, tallies, tokens, now);
  if (answer.refused_by == nullptr) return let_in(tallies, tokens, now);
  lock.unlock();
  return describe(answer.refusal, *answer.refused_by, tokens);
}

Gauges Limiter::Minutes::gauges(const call::Scopes& scopes) {
  Gauges gauges;
  if (!m_any.load(std::memory_order_acquire)) return gauges;
  const std::lock_guard lock(m_mutex);
  const SteadyTime now = m_clock.steady();
  for (const call::Scope& scope : scopes) {
    Tally* tally = limited(scope);
    if (tally == nullptr) continue;
    tally->minute.forget_before(now);
    tighten(gauges.requests, tally->minute, &Amounts::requests, tally->limits.requests_per_minute, now);
    tighten(gauges.tokens, tally->minute, &Amounts::tokens, tally->limits.tokens_per_minute, now);
  }
  return gauges;
}

void Limiter::Minutes::add(const Tallies& tallies, SteadyTime at, Amounts change) {
  const std::lock_guard lock(m_mutex);
  for (Tally* tally : tallies) {
    if (tally != nullptr) tally->minute.add(at, change);
  }
}

void Limiter::Minutes::leave(const Tallies& tallies) {
  const std::lock_guard lock(m_mutex);
  for (Tally* tally : tallies) {
    if (tally != nullptr) --tally->running;
  }
}

Admission::Admission() noexcept = default;
Admission::Admission(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Admission::Admission(Admission&&) noexcept = default;
Admission& Admission::operator=(Admission&&) noexcept = default;
Admission::~Admission() = default;

void Admission::correct(std::int64_t tokens) {
  if (!m_state) return;
  const std::int64_t real = sane(tokens);
  Amounts& counted = m_state->counted;
  if (counted.requests == 0 || real == counted.tokens) return;
  m_state->minutes.add(m_state->tallies, m_state->at, {0, real - counted.tokens});
  counted.tokens = real;
}

void Admission::withdraw() {
  if (!m_state || m_state->counted.requests == 0) return;
  m_state->minutes.add(m_state->tallies, m_state->at, {-m_state->counted.requests, -m_state->counted.tokens});
  m_state->counted = {};
}

Limiter::Limiter(const Clock& clock) : m_minutes(std::make_unique<Minutes>(clock)) {}
Limiter::~Limiter() = default;

void Limiter::configure(const std::map<call::Scope, call::RateLimits>& limits) {
  m_minutes->configure(limits);
}

Result<Admission> Limiter::admit(const call::Scopes& scopes, std::int64_t tokens) {
  return m_minutes->admit(scopes, sane(tokens));
}

Gauges Limiter::gauges(const call::Scopes& scopes) const {
  return m_minutes->gauges(scopes);
}

}  // namespace nemo::limits
