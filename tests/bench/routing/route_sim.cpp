// A simulated day of calls, routed by the daemon's own code and, beside it, by chance, in turns, and by an oracle.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/routing/draws.h"
#include "tests/bench/routing/players.h"
#include "tests/bench/routing/simulated_day.h"
#include "tests/bench/samples.h"

namespace {

using namespace nemo;
using namespace nemo::bench;

constexpr const char* k_usage =
    "usage: scripts/sim [--seed N] [--deployments N] [--hours N] [--calls-per-second X]\n"
    "A simulated day (defaults: seed 1, 20 deployments, 24 hours, 1 call a second): each deployment's time to first\n"
    "token drifts, and a few times a day it fails or is slow for a while. Prints the mean and the 99th percentile of "
    "the\n"
    "time to first token, failed attempts included, as ratios to an oracle that always knows what fails and which is\n"
    "usually quickest at the moment. The same seed gives the same day and the same figures.\n";

struct Options {
  DayPlan day;
  double calls_per_second = 1;
};

// What one player made of the day.
struct Score {
  Samples ttft_ms;
  double sum_ms = 0;
  std::int64_t calls = 0;
  std::int64_t failed_attempts = 0;
  std::int64_t failed_calls = 0;
};

class Play {
 public:
  Play(const SimulatedDay& day, const Options& options, Player& player)
      : m_day(day), m_options(options), m_player(player) {}

  Score run() {
    routing::Draws draws(m_options.day.seed + 7);
    double at_s = 0;
    for (std::uint64_t id = 0;; ++id) {
      at_s += -std::log(1 - draws.share()) / m_options.calls_per_second;
      if (at_s >= static_cast<double>(m_day.seconds())) break;
      happen_until(at_s);
      m_calls[id] = {at_s, m_player.choose(at_s, id)};
      ++m_score.calls;
      attempt(id, at_s);
    }
    happen_until(INFINITY);
    return std::move(m_score);
  }

 private:
  static constexpr std::size_t k_most_attempts = 3;

  struct Call {
    double begun_s = 0;
    std::vector<std::size_t> order;
    std::size_t attempts = 0;
  };
  enum class What : std::uint8_t { failure, first_token, end };
  struct Event {
    double at_s;
    std::uint64_t id;
    What what;
    double took_ms;
    bool operator>(const Event& other) const { return at_s > other.at_s; }
  };

  void attempt(std::uint64_t id, double at_s) {
    Call& call = m_calls[id];
    if (call.attempts >= std::min(k_most_attempts, call.order.size())) {
      ++m_score.failed_calls;
      return finish(id, at_s);
    }
    const std::size_t deployment = call.order[call.attempts++];
    m_player.begins(id, deployment, at_s);
    const bool fails = m_day.fails(deployment, at_s);
    const double took_ms = fails ? m_day.failure_ms(deployment, id) : m_day.this_ms(deployment, at_s, id);
    m_events.push({at_s + took_ms / 1e3, id, fails ? What::failure : What::first_token, took_ms});
  }

  void finish(std::uint64_t id, double at_s) {
    const double ttft_ms = (at_s - m_calls[id].begun_s) * 1e3;
    m_score.ttft_ms.add(ttft_ms);
    m_score.sum_ms += ttft_ms;
    m_calls.erase(id);
  }

  void happen_until(double until_s) {
    while (!m_events.empty() && m_events.top().at_s <= until_s) {
      const Event event = m_events.top();
      m_events.pop();
      switch (event.what) {
        case What::failure:
          ++m_score.failed_attempts;
          m_player.fails(event.id, event.at_s);
          attempt(event.id, event.at_s);
          break;
        case What::first_token:
          m_player.first_token(event.id, event.took_ms, event.at_s);
          finish(event.id, event.at_s);
          m_events.push({event.at_s + 0.2 + 2 * routing::Draws(event.id).share(), event.id, What::end, 0});
          break;
        case What::end:
          m_player.ends(event.id, event.at_s);
          break;
      }
    }
  }

  const SimulatedDay& m_day;
  const Options& m_options;
  Player& m_player;
  std::unordered_map<std::uint64_t, Call> m_calls;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> m_events;
  Score m_score;
};

bool read_options(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--seed") {
      options.day.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--deployments") {
      options.day.deployments = std::atoi(value);
    } else if (name == "--hours") {
      options.day.hours = std::atoi(value);
    } else if (name == "--calls-per-second") {
      options.calls_per_second = std::atof(value);
    } else {
      return false;
    }
  }
  // Above 64 deployments the chances of two calls would be the same numbers.
  return argc % 2 == 1 && options.day.deployments >= 1 && options.day.deployments <= 64 && options.day.hours >= 1 &&
         options.day.hours <= 240 && options.calls_per_second > 0 && options.calls_per_second <= 1'000;
}

void tell(const char* name, const Score& score, const Score& oracle) {
  const double mean = score.sum_ms / static_cast<double>(score.calls);
  const double best = oracle.sum_ms / static_cast<double>(oracle.calls);
  const double p99 = score.ttft_ms.quantile(0.99);
  std::printf("%-22s %9.0f %8.3f %9.0f %8.3f %9lld %9lld\n", name, mean, mean / best, p99,
              p99 / oracle.ttft_ms.quantile(0.99), static_cast<long long>(score.failed_attempts),
              static_cast<long long>(score.failed_calls));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read_options(argc, argv, options)) {
    const bool asked = argc == 2 && std::string_view(argv[1]) == "--help";
    std::fputs(k_usage, asked ? stdout : stderr);
    return asked ? 0 : 2;
  }
  const SimulatedDay day(options.day);
  const std::uint64_t seed = options.day.seed;
  const std::size_t count = day.deployments();
  const auto play = [&](const std::unique_ptr<Player>& player) { return Play(day, options, *player).run(); };
  const Score oracle = play(make_oracle(day));
  std::printf("seed %llu, %zu deployments, %d h, %lld calls\n", static_cast<unsigned long long>(seed), count,
              options.day.hours, static_cast<long long>(oracle.calls));
  std::printf("%-22s %9s %8s %9s %8s %9s %9s\n", "time to first token", "mean, ms", "ratio", "p99, ms", "ratio",
              "failed", "calls");
  std::printf("%-22s %9s %8s %9s %8s %9s %9s\n", "", "", "", "", "", "attempts", "failed");
  tell("oracle", oracle, oracle);
  tell("latency", play(make_router(routing::Strategy::latency, count, seed)), oracle);
  tell("simple-shuffle", play(make_router(routing::Strategy::simple_shuffle, count, seed)), oracle);
  tell("round robin", play(make_round_robin(count)), oracle);
  tell("random", play(make_random(count, seed)), oracle);
  return 0;
}
