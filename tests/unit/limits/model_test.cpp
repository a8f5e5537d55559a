// The limiter against the plainest model of its rules: a list of all that happened.
#include <doctest/doctest.h>

#include <algorithm>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "daemon/limits/limiter.h"
#include "fake_clock.h"

namespace nemo::test::model_test {

using nemo::SteadyTime;
using nemo::call::RateLimits;
using nemo::call::Scope;
using nemo::call::ScopeKind;
using nemo::call::Scopes;
using nemo::limits::Admission;
using nemo::limits::Limiter;
using nemo::test::FakeClock;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

namespace {

struct Event {
  SteadyTime at;
  Scopes scopes;
  std::int64_t requests = 1;
  std::int64_t tokens = 0;
  bool running = true;
};

struct Use {
  std::int64_t requests = 0;
  std::int64_t tokens = 0;
  std::int64_t running = 0;
};

struct Model {
  std::map<Scope, RateLimits> limits;
  std::list<Event> events;

  // What counts at `now` if a minute has this length.
  Use use(const Scope& scope, SteadyTime now, nanoseconds minute) const {
    Use use;
    for (const Event& event : events) {
      if (std::find(event.scopes.begin(), event.scopes.end(), scope) == event.scopes.end()) continue;
      use.running += event.running ? 1 : 0;
      if (event.at + minute <= now) continue;
      use.requests += event.requests;
      use.tokens += event.tokens;
    }
    return use;
  }

  bool minute_allows(const Scopes& scopes, std::int64_t tokens, SteadyTime now, nanoseconds minute = 60s) const {
    return std::all_of(scopes.begin(), scopes.end(), [&](const Scope& scope) {
      const auto found = limits.find(scope);
      if (found == limits.end()) return true;
      const RateLimits& its = found->second;
      const Use used = use(scope, now, minute);
      if (its.requests_per_minute && used.requests + 1 > *its.requests_per_minute) return false;
      if (!its.tokens_per_minute) return true;
      const std::int64_t limit = *its.tokens_per_minute;
      return limit > 0 && (used.tokens + tokens <= limit || (used.tokens == 0 && tokens > limit));
    });
  }

  bool place_allows(const Scopes& scopes, SteadyTime now) const {
    return std::all_of(scopes.begin(), scopes.end(), [&](const Scope& scope) {
      const auto found = limits.find(scope);
      return found == limits.end() || !found->second.parallel || use(scope, now, 60s).running < *found->second.parallel;
    });
  }
};

const std::vector<Scope> k_scopes{
    {ScopeKind::key, "key_a"}, {ScopeKind::key, "key_b"}, {ScopeKind::seat, "s"}, {ScopeKind::team, "t"}};

class Play {
 public:
  Play(unsigned seed, nanoseconds grid) : m_random(seed), m_grid(grid) { change_limits(); }

  void step() {
    const auto dice = below(100);
    if (dice < 45) {
      admit();
    } else if (dice < 70) {
      advance();
    } else if (dice < 98) {
      end_one();
    } else {
      change_limits();
    }
    forget_old();
  }

  int admitted = 0;
  int refused = 0;

 private:
  struct Running {
    Admission admission;
    std::list<Event>::iterator event;
  };

  std::int64_t below(std::int64_t end) { return std::uniform_int_distribution<std::int64_t>(0, end - 1)(m_random); }
  bool exact() const { return m_grid >= 10ms; }

  void change_limits() {
    const auto maybe = [this](std::int64_t end) -> std::optional<std::int64_t> {
      return below(3) == 0 ? std::optional(below(end)) : std::nullopt;
    };
    m_model.limits.clear();
    // Every scope is limited all the time, so that every call is counted: what else is counted is another test's rule.
    for (const Scope& scope : k_scopes) {
      m_model.limits[scope] = {maybe(12), maybe(60), below(4) == 0 ? std::optional(below(6)) : std::optional(1'000L)};
    }
    m_limiter.configure(m_model.limits);
  }

  void advance() {
    const nanoseconds most = below(4) == 0 ? nanoseconds(40s) : nanoseconds(3s);
    m_clock.advance(m_grid * below(most / m_grid + 1));
  }

  // The key that is not in the call tells whether a refusal left something behind.
  Scopes some_scopes() {
    Scopes scopes{k_scopes[static_cast<std::size_t>(below(2))]};
    if (below(2) == 0) scopes.push_back(k_scopes[2]);
    if (below(2) == 0) scopes.push_back(k_scopes[3]);
    return scopes;
  }

  void admit() {
    const Scopes scopes = some_scopes();
    const std::int64_t tokens = below(5) == 0 ? below(100) : below(12);
    const SteadyTime now = m_clock.steady();
    auto answer = m_limiter.admit(scopes, tokens);
    const bool place = m_model.place_allows(scopes, now);
    if (answer.ok()) {
      ++admitted;
      CHECK(place);
      CHECK(m_model.minute_allows(scopes, tokens, now));
      m_model.events.push_back({now, scopes, 1, tokens, true});
      m_running.push_back({std::move(answer).value(), std::prev(m_model.events.end())});
      return;
    }
    ++refused;
    // Entries of one slot leave together, with the last of them: at most that much later.
    const nanoseconds longest = exact() ? nanoseconds(60s) : nanoseconds(60s + 10ms);
    CHECK_FALSE((place && m_model.minute_allows(scopes, tokens, now, longest)));
    check_retry(scopes, tokens, answer.error().retry_after_s, place);
  }

  void check_retry(const Scopes& scopes, std::int64_t tokens, std::optional<std::int64_t> retry_after_s, bool place) {
    if (!retry_after_s) {
      const bool ever =
          m_model.place_allows(scopes, m_clock.steady()) && m_model.minute_allows(scopes, tokens, SteadyTime::max());
      CHECK_FALSE(ever);
      return;
    }
    REQUIRE(*retry_after_s >= 1);
    if (!place) return;
    // A call that is let in to look is taken out again: nothing else happens.
    const auto lets_in_after = [&](std::int64_t seconds) {
      m_clock.advance(std::chrono::seconds(seconds));
      auto answer = m_limiter.admit(scopes, tokens);
      if (!answer.ok()) return false;
      answer.value().withdraw();
      return true;
    };
    CHECK_FALSE(lets_in_after(*retry_after_s - 1));
    CHECK(lets_in_after(1));
  }

  void end_one() {
    if (m_running.empty()) return;
    const auto chosen = m_running.begin() + below(static_cast<std::int64_t>(m_running.size()));
    const auto dice = below(4);
    if (dice == 0) {
      chosen->admission.withdraw();
      chosen->event->requests = 0;
      chosen->event->tokens = 0;
    } else if (dice < 3) {
      const std::int64_t real = below(30);
      chosen->admission.correct(real);
      chosen->event->tokens = real;
    }
    chosen->event->running = false;
    *chosen = std::move(m_running.back());
    m_running.pop_back();
  }

  void forget_old() {
    m_model.events.remove_if([&](const Event& event) { return !event.running && event.at + 61s <= m_clock.steady(); });
  }

  std::mt19937 m_random;
  nanoseconds m_grid;
  FakeClock m_clock;
  Limiter m_limiter{m_clock};
  Model m_model;
  std::vector<Running> m_running;
};

}  // namespace

TEST_CASE("on a grid of one slot the limiter decides as the plain list of all calls does, and retry_after_s is exact") {
  int admitted = 0;
  int refused = 0;
  for (unsigned seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    Play play(seed, 10ms);
    for (int i = 0; i < 400; ++i) play.step();
    admitted += play.admitted;
    refused += play.refused;
  }
  CHECK(admitted > 5'000);
  CHECK(refused > 5'000);
}

TEST_CASE("at any moments the limiter never lets in what the list forbids, and holds up 10 ms longer at most") {
  for (unsigned seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    Play play(seed, nanoseconds(seed % 2 == 0 ? 1'234'567 : 333));
    for (int i = 0; i < 400; ++i) play.step();
  }
}

}  // namespace nemo::test::model_test
