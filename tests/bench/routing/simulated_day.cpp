#include "tests/bench/routing/simulated_day.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "daemon/routing/draws.h"

namespace nemo::bench {
namespace {

using routing::Draws;
using routing::mixed;

// Standard normal (Box and Muller): std::normal_distribution differs between libraries.
double normal(Draws& draws) {
  const double radius = std::sqrt(-2 * std::log(1 - draws.share()));
  return radius * std::cos(2 * std::numbers::pi * draws.share());
}

double between(Draws& draws, double least, double most) {
  return least + (most - least) * draws.share();
}

constexpr double k_day_s = 86'400;
constexpr double k_typical_ms = 300;
constexpr double k_unlikeness = 0.4;      // of deployments, as the logarithm's deviation
constexpr double k_tide = 0.3;            // of the day, in the logarithm
constexpr double k_drift = 0.3;           // the logarithm's deviation
constexpr double k_drift_s = 3'600;       // how long a drift lasts
constexpr double k_noise = 0.2;           // of one call, the logarithm's deviation
constexpr double k_blip_every_s = 9'000;  // at one deployment

}  // namespace

SimulatedDay::SimulatedDay(const DayPlan& plan) : m_seed(plan.seed), m_seconds(std::int64_t{plan.hours} * 3'600) {
  for (int i = 0; i < plan.deployments; ++i) {
    const std::uint64_t seed = mixed(plan.seed * 1'000 + static_cast<std::uint64_t>(i));
    std::vector<Weather>& all = m_weather.emplace_back(static_cast<std::size_t>(m_seconds));
    drift(all, seed);
    add_blips(all, seed + 1);
  }
}

double SimulatedDay::this_ms(std::size_t deployment, double at_s, std::uint64_t call) const {
  Draws draws(mixed(m_seed + call * 64 + deployment));
  return usual_ms(deployment, at_s) * std::exp(k_noise * normal(draws) - k_noise * k_noise / 2);
}

double SimulatedDay::failure_ms(std::size_t deployment, std::uint64_t call) const {
  Draws draws(mixed(m_seed + call * 64 + deployment));
  return between(draws, 5, 150);
}

const SimulatedDay::Weather& SimulatedDay::weather(std::size_t deployment, double at_s) const {
  const auto second = std::min(static_cast<std::int64_t>(at_s), m_seconds - 1);
  return m_weather[deployment][static_cast<std::size_t>(second)];
}

// A level of its own, the tide of the day at an hour of its own, and a walk that always comes back.
void SimulatedDay::drift(std::vector<Weather>& all, std::uint64_t seed) const {
  Draws draws(seed);
  const double level = std::log(k_typical_ms) + k_unlikeness * normal(draws);
  const double phase = draws.share();
  double walk = k_drift * normal(draws);
  for (std::size_t second = 0; second < all.size(); ++second) {
    walk += -walk / k_drift_s + k_drift * std::sqrt(2 / k_drift_s) * normal(draws);
    const double tide = k_tide * std::sin(2 * std::numbers::pi * (static_cast<double>(second) / k_day_s + phase));
    all[second].usual_ms = static_cast<float>(std::exp(level + tide + walk));
  }
}

void SimulatedDay::add_blips(std::vector<Weather>& all, std::uint64_t seed) const {
  Draws draws(seed);
  double at = 0;
  while (true) {
    at += -k_blip_every_s * std::log(1 - draws.share());
    if (at >= static_cast<double>(all.size())) return;
    const bool fails = draws.share() < 0.5;
    const double lasts = fails ? between(draws, 10, 180) : between(draws, 30, 600);
    const auto slower = static_cast<float>(between(draws, 3, 10));
    const auto end = std::min(all.size(), static_cast<std::size_t>(at + lasts));
    for (auto second = static_cast<std::size_t>(at); second < end; ++second) {
      if (fails) {
        all[second].fails = true;
      } else {
        all[second].usual_ms *= slower;
      }
    }
    at += lasts;
  }
}

}  // namespace nemo::bench
