// What one decision costs, with every deployment of the table serving the wanted model: p50 and p99 for each strategy.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "daemon/routing/route.h"
#include "tests/bench/samples.h"

namespace {

using namespace nemo;
using std::chrono::steady_clock;

constexpr const char* k_model = "gemini-2.5-flash";

routing::Table make_table(int deployments, routing::Strategy strategy) {
  routing::Table table;
  table.lanes["completion"] = {k_model, {}, {}, strategy};
  for (int i = 0; i < deployments; ++i) {
    routing::Deployment one;
    one.upstream = "region-" + std::to_string(i);
    one.id = std::string(k_model) + "@" + one.upstream;
    one.model = k_model;
    one.upstream_model = one.model;
    one.weight = 1 + i % 3;
    one.rpm = 1'000'000;
    // As after a while of use: measured in two lanes, here and there a call in flight.
    for (const char* lane : {"reasoning", "completion"}) {
      for (int call = 0; call < 30; ++call) {
        auto in_flight = one.gauge->begin(lane, routing::Answering::streamed, steady_clock::now());
        in_flight.first_token(Micros(100'000 + (i * 7 + call) % 13 * 10'000), steady_clock::now());
        in_flight.succeeded(100, steady_clock::now());
      }
    }
    table.deployments.push_back(std::move(one));
  }
  return table;
}

bench::Samples measure(const routing::Table& table, const catalog::Catalog& catalog, int rounds) {
  call::CallSpec spec;
  spec.surface = call::Surface::openai_completions;
  spec.stream = true;
  const std::vector<std::string> allowed;
  bench::Samples samples;
  for (int round = 0; round < rounds; ++round) {
    const auto started = steady_clock::now();
    routing::Decision decision;
    const Status status = routing::decide(
        table, catalog, spec, {allowed, "alice", "req_1", started, static_cast<std::uint64_t>(round)}, decision);
    const auto took = steady_clock::now() - started;
    if (!status) {
      std::fprintf(stderr, "no decision: %s\n", status.error().message.c_str());
      std::exit(1);
    }
    if (round >= rounds / 10) samples.add(std::chrono::duration<double, std::micro>(took).count());
  }
  return samples;
}

}  // namespace

int main(int argc, char** argv) {
  const int deployments = argc > 1 ? std::atoi(argv[1]) : 50;
  if (deployments < 1) {
    std::fputs("usage: decision_bench [DEPLOYMENTS]   (default 50)\n", stderr);
    return 2;
  }
  const catalog::Catalog catalog;
  std::printf("decide() among %d deployments, µs\n%-16s %8s %8s\n", deployments, "strategy", "p50", "p99");
  using enum routing::Strategy;
  for (const routing::Strategy strategy : {simple_shuffle, least_busy, usage_based, latency, cost}) {
    const bench::Samples samples = measure(make_table(deployments, strategy), catalog, 100'000);
    std::printf("%-16s %8.2f %8.2f\n", std::string(routing::to_string(strategy)).c_str(), samples.quantile(0.5),
                samples.quantile(0.99));
  }
  return 0;
}
