// What one deployment has shown lately: calls in flight, this minute's load, time to first token, health.
// Pure but for a mutex: time is handed in.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/routing/health.h"
#include "daemon/routing/latency.h"
#include "daemon/routing/minute.h"
#include "shared/clock.h"

namespace nemo::routing {

// How long a stream's first token takes and how long a whole answer takes are two things, never averaged together.
enum class Answering : std::uint8_t { streamed, whole };

struct Figures {
  std::int64_t in_flight = 0;
  std::int64_t waiting = 0;             // of the lane and kind asked for, those that have no first token yet
  std::int64_t calls_this_minute = 0;   // begun within the last 60 s
  std::int64_t tokens_this_minute = 0;  // of calls that ended within the last 60 s
  std::optional<Micros> ttft;           // decaying average of the lane and kind asked for; absent: never measured
  Micros since_measured{0};             // how old its newest measurement is
  std::int64_t measured = 0;            // how many have gone into it
  Condition condition = Condition::healthy;
  Micros until_ready{0};     // of cooling and rate_limited: how long still
  std::string last_trouble;  // an error code; empty: none since the last success
};

class Gauge;

// A call at a deployment: counted as in flight while this is held. One thread; move only. When nothing is said of how
// it ended (the client left), nothing is learned of the deployment.
class InFlight {
 public:
  InFlight() = default;
  InFlight(InFlight&& other) noexcept;
  InFlight& operator=(InFlight&& other) noexcept;
  ~InFlight();

  // After sending. For a whole answer: all of it. The first one counts. Of a call that is given up because another was
  // quicker: what it has waited so far.
  void first_token(Micros took, SteadyTime now);
  void succeeded(std::int64_t tokens, SteadyTime now);
  void failed(Trouble trouble, std::string_view code, std::optional<std::chrono::seconds> retry_after, SteadyTime now);

 private:
  friend class Gauge;
  InFlight(std::shared_ptr<Gauge> gauge, std::string_view lane, Answering answering, Trial trial);
  void end();

  std::shared_ptr<Gauge> m_gauge;
  std::string m_lane;
  Answering m_answering = Answering::streamed;
  Trial m_trial;  // perhaps the one call that a half-open deployment is given
  bool m_is_waiting = true;
  bool m_is_judged = false;  // it has been said how it ended
};

// Any thread.
class Gauge : public std::enable_shared_from_this<Gauge> {
 public:
  // `since`: it does not count as idle before.
  explicit Gauge(HealthRules rules = {}, SteadyTime since = {});

  void set_rules(HealthRules rules);  // what was learned stays
  Figures figures(std::string_view lane, Answering answering, SteadyTime now) const;
  // By recent streams of the lane; absent: too few to say.
  std::optional<Micros> p95(std::string_view lane, SteadyTime now) const;
  InFlight begin(std::string_view lane, Answering answering, SteadyTime now);

  // An unpaid question from the health prober was answered, or not.
  void probed(bool answered, std::string_view code, SteadyTime now);
  SteadyTime last_begun() const;
  // How long until fewer than `calls` calls have begun within the last 60 s.
  Micros until_fewer_than(std::int64_t calls, SteadyTime now) const;

 private:
  friend class InFlight;
  struct Series {
    std::string lane;
    Answering answering = Answering::streamed;
    std::int64_t waiting = 0;
    Latency latency;
  };
  // A request may name any lane: those least recently measured make room.
  static constexpr std::size_t k_most_series = 16;

  const Series* find(std::string_view lane, Answering answering) const;
  Series* find(std::string_view lane, Answering answering);
  Series* find_or_add(std::string_view lane, Answering answering);
  void measure(InFlight& call, Micros took, SteadyTime now);
  void stop_waiting(InFlight& call);

  mutable std::mutex m_mutex;
  Health m_health;
  std::int64_t m_in_flight = 0;
  mutable Minute m_minute;
  std::vector<Series> m_series;
  std::string m_last_trouble;
  SteadyTime m_last_begun;
};

}  // namespace nemo::routing
