#include "daemon/routing/fleet.h"

#include <doctest/doctest.h>

#include <thread>

#include "fake_clock.h"

namespace nemo::test::fleet_test {

using namespace nemo;
using namespace nemo::routing;

namespace {

Table table_of(const std::vector<std::string>& ids) {
  Table table;
  for (const std::string& id : ids) table.deployments.emplace_back().id = id;
  return table;
}

Figures figures(const Deployment& deployment, const test::FakeClock& clock) {
  return deployment.gauge->figures("completion", Answering::streamed, clock.steady());
}

InFlight begin(const Deployment& deployment, const test::FakeClock& clock) {
  return deployment.gauge->begin("completion", Answering::streamed, clock.steady());
}

}  // namespace

TEST_CASE("what a deployment has shown is kept across a reload, and a new one starts with nothing") {
  const test::FakeClock clock;
  Fleet fleet;
  Table before = table_of({"a", "b"});
  fleet.attach(before, {});
  const auto call = begin(before.deployments[0], clock);
  Table after = table_of({"c", "a"});
  fleet.attach(after, {});
  CHECK(after.deployments[1].gauge == before.deployments[0].gauge);
  CHECK(figures(after.deployments[1], clock).in_flight == 1);
  CHECK(figures(after.deployments[0], clock).in_flight == 0);
}

TEST_CASE("a deployment that was gone starts anew, and calls that still run there end in peace") {
  const test::FakeClock clock;
  Fleet fleet;
  std::optional<InFlight> running;
  {
    Table before = table_of({"a"});
    fleet.attach(before, {});
    running = begin(before.deployments[0], clock);
  }
  Table without = table_of({});
  fleet.attach(without, {});
  Table again = table_of({"a"});
  fleet.attach(again, {});
  CHECK(figures(again.deployments[0], clock).in_flight == 0);
  running->succeeded(1, clock.steady());
  running.reset();
  CHECK(figures(again.deployments[0], clock).in_flight == 0);
}

TEST_CASE("rules of a reload hold for gauges that were there before") {
  const test::FakeClock clock;
  Fleet fleet;
  Table table = table_of({"a"});
  fleet.attach(table, {});
  fleet.attach(table, {0, std::chrono::seconds(1), std::chrono::seconds(2)});
  begin(table.deployments[0], clock).failed(Trouble::connect, "upstream_error", std::nullopt, clock.steady());
  CHECK(figures(table.deployments[0], clock).until_ready == std::chrono::seconds(1));
}

TEST_CASE("calls that run through many reloads are all counted back to none") {
  const test::FakeClock clock;
  Fleet fleet;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        Table table = table_of(i % 2 == 0 ? std::vector<std::string>{"a", "b"} : std::vector<std::string>{"a"});
        fleet.attach(table, {});
        auto call = begin(table.deployments.back(), clock);
        call.first_token(Micros(5), clock.steady());
        call.succeeded(1, clock.steady());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Table table = table_of({"a", "b"});
  fleet.attach(table, {});
  for (const Deployment& one : table.deployments) CHECK(figures(one, clock).in_flight == 0);
  CHECK(figures(table.deployments[0], clock).measured >= 600);
}

}  // namespace nemo::test::fleet_test
