// The scripted upstream's race, which the gateway's tests of hedging rest on.
#include <doctest/doctest.h>

#include "scripted_transport.h"

namespace nemo::test::scripted_race_test {

using namespace nemo;
using namespace nemo::test;
using Race = upstream::Transport::Race;
using upstream::Wake;

namespace {

constexpr int k_no_client = -1;
constexpr int k_client = 0;
constexpr SteadyTime k_some_time{};

struct Two {
  Two(ScriptedAnswer one, ScriptedAnswer two) {
    transport.expect(std::move(one));
    transport.expect(std::move(two));
    first = transport.start({});
    second = transport.start({});
  }
  Race race(std::optional<SteadyTime> until = {}, int client_fd = k_no_client) {
    return transport.wait_first(*first, *second, client_fd, until);
  }

  ScriptedTransport transport;
  std::unique_ptr<upstream::Exchange> first;
  std::unique_ptr<upstream::Exchange> second;
};

}  // namespace

TEST_CASE("scripted: the first wins when both have something to say or have ended") {
  CHECK(Two(streams({"a"}), streams({"b"})).race() == Race::first);
  CHECK(Two(fails(), streams({"b"})).race() == Race::first);
  CHECK(Two(streams({}), fails()).race() == Race::first);
}

TEST_CASE("scripted: one that is silent, or to whom time passes, loses to one that is not") {
  CHECK(Two(streams({}, Ending::silent), streams({"b"})).race() == Race::second);
  CHECK(Two(streams({"", "a"}), streams({"b"})).race() == Race::second);
  CHECK(Two(streams({"", "a"}), fails()).race() == Race::second);
}

TEST_CASE("scripted: while neither speaks, time passes for both") {
  Two both(streams({"", "", "a"}), streams({"", "b"}));
  CHECK(both.race(k_some_time) == Race::not_yet);
  CHECK(both.race(k_some_time) == Race::second);
  CHECK(both.first->wait_body(k_no_client, k_some_time) == Wake::not_yet);
  CHECK(both.race(k_some_time) == Race::first);
  CHECK(Two(streams({"", "", "a"}), streams({"", "b"})).race() == Race::second);
}

TEST_CASE("scripted: two that are silent for good are waited for with a limit only") {
  Two both(streams({}, Ending::silent), streams({}, Ending::silent));
  CHECK(both.race(k_some_time) == Race::not_yet);
  CHECK_THROWS_AS(both.race(), std::logic_error);
}

TEST_CASE("scripted: a client that leaves is seen when neither speaks before") {
  CHECK(Two(streams({}, Ending::client_leaves), streams({}, Ending::silent)).race({}, k_client) == Race::client_gone);
  CHECK(Two(streams({}, Ending::client_leaves), streams({"b"})).race({}, k_client) == Race::second);
}

}  // namespace nemo::test::scripted_race_test
