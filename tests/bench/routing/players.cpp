#include "tests/bench/routing/players.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "daemon/routing/draws.h"
#include "daemon/routing/route.h"

namespace nemo::bench {
namespace {

using routing::Draws;
using routing::mixed;

constexpr const char* k_model = "gemini-2.5-flash";

SteadyTime to_steady(double at_s) {
  return SteadyTime(std::chrono::hours(1)) + std::chrono::nanoseconds(std::llround(at_s * 1e9));
}

std::vector<std::size_t> all_of(std::size_t deployments) {
  std::vector<std::size_t> all(deployments);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

class Router final : public Player {
 public:
  Router(routing::Strategy strategy, std::size_t deployments, std::uint64_t seed) : m_seed(seed) {
    m_spec.surface = call::Surface::openai_completions;
    m_spec.stream = true;
    m_table.lanes["completion"] = {k_model, {}, {}, strategy};
    for (std::size_t i = 0; i < deployments; ++i) {
      routing::Deployment one;
      one.upstream = std::to_string(i);
      one.id = std::string(k_model) + "@" + one.upstream;
      one.model = k_model;
      one.upstream_model = one.model;
      m_table.deployments.push_back(std::move(one));
    }
  }

  std::vector<std::size_t> choose(double at_s, std::uint64_t call) override {
    routing::Decision decision;
    const Status status = routing::decide(
        m_table, m_catalog, m_spec, {m_allowed, "simulated", "", to_steady(at_s), mixed(m_seed + call)}, decision);
    std::vector<std::size_t> order;
    if (!status) return order;
    for (const auto& choice : decision.choices) {
      order.push_back(static_cast<std::size_t>(choice.deployment - m_table.deployments.data()));
    }
    return order;
  }
  void begins(std::uint64_t call, std::size_t deployment, double at_s) override {
    const auto& gauge = m_table.deployments[deployment].gauge;
    m_in_flight[call] = gauge->begin("completion", routing::Answering::streamed, to_steady(at_s));
  }
  void first_token(std::uint64_t call, double took_ms, double at_s) override {
    m_in_flight[call].first_token(Micros(std::llround(took_ms * 1e3)), to_steady(at_s));
  }
  void ends(std::uint64_t call, double at_s) override {
    m_in_flight[call].succeeded(500, to_steady(at_s));
    m_in_flight.erase(call);
  }
  void fails(std::uint64_t call, double at_s) override {
    m_in_flight[call].failed(routing::Trouble::server_error, "upstream_error", std::nullopt, to_steady(at_s));
    m_in_flight.erase(call);
  }

 private:
  std::uint64_t m_seed;
  catalog::Catalog m_catalog;
  routing::Table m_table;
  call::CallSpec m_spec;
  std::vector<std::string> m_allowed;
  std::unordered_map<std::uint64_t, routing::InFlight> m_in_flight;
};

class Random final : public Player {
 public:
  Random(std::size_t deployments, std::uint64_t seed) : m_deployments(deployments), m_seed(seed) {}
  std::vector<std::size_t> choose(double /*at_s*/, std::uint64_t call) override {
    Draws draws(mixed(m_seed + call));
    std::vector<std::size_t> order = all_of(m_deployments);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[draws.below(i)]);
    return order;
  }

 private:
  std::size_t m_deployments;
  std::uint64_t m_seed;
};

class RoundRobin final : public Player {
 public:
  explicit RoundRobin(std::size_t deployments) : m_deployments(deployments) {}
  std::vector<std::size_t> choose(double /*at_s*/, std::uint64_t /*call*/) override {
    std::vector<std::size_t> order = all_of(m_deployments);
    std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(m_next), order.end());
    m_next = (m_next + 1) % m_deployments;
    return order;
  }

 private:
  std::size_t m_deployments;
  std::size_t m_next = 0;
};

class Oracle final : public Player {
 public:
  explicit Oracle(const SimulatedDay& day) : m_day(day) {}
  std::vector<std::size_t> choose(double at_s, std::uint64_t /*call*/) override {
    std::vector<std::size_t> order = all_of(m_day.deployments());
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(m_day.fails(a, at_s), m_day.usual_ms(a, at_s)) <
             std::pair(m_day.fails(b, at_s), m_day.usual_ms(b, at_s));
    });
    return order;
  }

 private:
  const SimulatedDay& m_day;
};

}  // namespace

std::unique_ptr<Player> make_router(routing::Strategy strategy, std::size_t deployments, std::uint64_t seed) {
  return std::make_unique<Router>(strategy, deployments, seed);
}
std::unique_ptr<Player> make_random(std::size_t deployments, std::uint64_t seed) {
  return std::make_unique<Random>(deployments, seed);
}
std::unique_ptr<Player> make_round_robin(std::size_t deployments) {
  return std::make_unique<RoundRobin>(deployments);
}
std::unique_ptr<Player> make_oracle(const SimulatedDay& day) {
  return std::make_unique<Oracle>(day);
}

}  // namespace nemo::bench
