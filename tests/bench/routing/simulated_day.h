// A day of deployments whose time to first token drifts, with blips in which they fail or are slow. Made from a seed:
// the same for everyone who routes through it. Simulated time only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nemo::bench {

struct DayPlan {
  std::uint64_t seed = 1;
  int deployments = 20;
  int hours = 24;
};

class SimulatedDay {
 public:
  explicit SimulatedDay(const DayPlan& plan);

  std::size_t deployments() const { return m_weather.size(); }
  std::int64_t seconds() const { return m_seconds; }
  bool fails(std::size_t deployment, double at_s) const { return weather(deployment, at_s).fails; }
  // What a call that begins now takes to its first token: on average, and this one.
  double usual_ms(std::size_t deployment, double at_s) const { return weather(deployment, at_s).usual_ms; }
  double this_ms(std::size_t deployment, double at_s, std::uint64_t call) const;
  double failure_ms(std::size_t deployment, std::uint64_t call) const;

 private:
  struct Weather {
    float usual_ms = 0;
    bool fails = false;
  };

  const Weather& weather(std::size_t deployment, double at_s) const;
  void drift(std::vector<Weather>& all, std::uint64_t seed) const;
  void add_blips(std::vector<Weather>& all, std::uint64_t seed) const;

  std::uint64_t m_seed;
  std::int64_t m_seconds;
  std::vector<std::vector<Weather>> m_weather;  // by deployment, second by second
};

}  // namespace nemo::bench
