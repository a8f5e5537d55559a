#include "daemon/routing/latency.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace nemo::routing {
namespace {

// What is so old counts for a third of what it did. The share of a new measurement is at least what keeps up with calls
// that follow each other within microseconds, and at most what one slow answer among rare calls may claim.
constexpr double k_time_constant_us = 10e6;
constexpr double k_least_share = 0.2;
constexpr double k_greatest_share = 0.5;

constexpr std::size_t k_enough_for_p95 = 20;
constexpr std::chrono::minutes k_recent{10};

}  // namespace

void Latency::add(Micros took, SteadyTime now) {
  took = std::max(took, Micros(0));
  const double elapsed = std::max(0.0, std::chrono::duration<double, std::micro>(now - m_newest).count());
  const double by_time = std::min(k_greatest_share, 1 - std::exp(-elapsed / k_time_constant_us));
  const double by_count = 1.0 / static_cast<double>(m_measured + 1);
  const double share = std::max({by_time, by_count, k_least_share});
  m_average_us += share * (static_cast<double>(took.count()) - m_average_us);
  m_kept[static_cast<std::size_t>(m_measured) % k_kept] = {now, took};
  ++m_measured;
  m_newest = std::max(m_newest, now);
}

std::optional<Micros> Latency::average() const {
  if (m_measured == 0) return std::nullopt;
  return Micros(static_cast<std::int64_t>(m_average_us));
}

Micros Latency::age(SteadyTime now) const {
  return m_measured == 0 ? Micros(0) : std::max(Micros(0), std::chrono::floor<Micros>(now - m_newest));
}

std::optional<Micros> Latency::p95(SteadyTime now) const {
  std::array<Micros, k_kept> recent;
  std::size_t count = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(static_cast<std::size_t>(m_measured), k_kept); ++i) {
    if (now - m_kept[i].at <= k_recent) recent[count++] = m_kept[i].took;
  }
  if (count < k_enough_for_p95) return std::nullopt;
  // Nearest rank: the smallest that 95 of 100 do not exceed.
  const std::size_t rank = (count * 95 + 99) / 100 - 1;
  std::nth_element(recent.begin(), recent.begin() + static_cast<std::ptrdiff_t>(rank),
                   recent.begin() + static_cast<std::ptrdiff_t>(count));
  return recent[rank];
}

}  // namespace nemo::routing
