// Which deployment a whole daemon asks: the quickest, the least busy, the one whose tags match, and what a reload of
// the config and a spell of trouble do to that.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>
#include <thread>

#include "harness.h"

namespace nemo::test::routing_test {

using namespace nemo::test;

namespace {

const std::string k_chat = "/v1/chat/completions";

struct Served {
  std::string model;
  std::string upstream;
  std::string more;  // of its section
};

std::string config_of(const FakeUpstream& north, const FakeUpstream& south, const std::vector<Served>& served,
                      const std::string& more) {
  std::string text = more;
  // One without a deployment would serve all that it lists.
  for (const auto& [name, fake] : {std::pair("north", &north), std::pair("south", &south)}) {
    const std::string upstream = name;
    const bool is_used =
        std::any_of(served.begin(), served.end(), [&](const Served& one) { return one.upstream == upstream; });
    if (!is_used) continue;
    text += "[[upstream]]\nname = \"" + upstream + "\"\nkind = \"openai\"\nkey = \"env:FAKE_KEY\"\nbase_url = \"" +
            fake->base_url() + "\"\n";
  }
  for (const Served& one : served) {
    text += "[[deployment]]\nmodel = \"" + one.model + "\"\nupstream = \"" + one.upstream + "\"\n" + one.more;
  }
  return text;
}

const std::vector<Served> k_both{{"gemini-2.5-flash", "north", ""}, {"gemini-2.5-flash", "south", ""}};

Rig::Options options_of(const std::string& toml) {
  Rig::Options options;
  options.own_upstream = true;
  options.toml = toml;
  return options;
}

// One model in two regions.
struct Regions {
  FakeUpstream north, south;
  Rig rig;
  explicit Regions(const std::string& more, const std::vector<Served>& served = k_both)
      : rig(options_of(config_of(north, south, served, more))) {
    north.reset();
    south.reset();
  }

  static std::string body(bool stream, Json more = Json::object()) {
    Json body{{"model", "nemo/completion"},
              {"stream", stream},
              {"max_tokens", 200},
              {"messages", Json::array({{{"role", "user"}, {"content", "hello there"}}})}};
    body.update(more);
    return body.dump();
  }
  Reply ask(bool stream = true, const Json& more = Json::object()) { return rig.post(k_chat, body(stream, more)); }

  Json deployment(const std::string& upstream) {
    for (const Json& one : rig.admin("GET", "/deployments")) {
      if (one["upstream"] == upstream) return one;
    }
    return {};
  }
  std::int64_t in_flight(const std::string& upstream) { return deployment(upstream).value("in_flight", -1); }

  // Another config, in force when this returns.
  void reload(const std::vector<Served>& served, const std::string& more) {
    rig.write_config("listen = \"127.0.0.1:0\"\n" + config_of(north, south, served, more));
    const Json answer = rig.admin("POST", "/config/reload");
    INFO(answer.dump());
    REQUIRE(!answer.contains("error"));
  }
};

std::string lane(const std::string& strategy) {
  return "[lane.completion]\nmodel = \"gemini-2.5-flash\"\nstrategy = \"" + strategy + "\"\n";
}

Json region(int first_token_ms) {
  return {{"first_token_ms", first_token_ms}, {"tokens", 3}};
}

// How many of so many calls, one after the other, each region has answered.
std::map<std::string, int> answered_by(Regions& regions, int calls) {
  std::map<std::string, int> count;
  for (int i = 0; i < calls; ++i) {
    const Reply reply = regions.ask();
    REQUIRE(reply.status == 200);
    ++count[reply.header("x-nemo-upstream")];
  }
  return count;
}

double ttft_ms(Regions& regions, const std::string& upstream) {
  const Json completion = regions.deployment(upstream)["lanes"][0];
  return completion["ttft_ms"].is_number() ? completion["ttft_ms"].get<double>() : 0;
}

}  // namespace

TEST_CASE("the latency strategy goes to the quick region, and follows when the two change places") {
  constexpr int k_quick_ms = 20;
  constexpr int k_slow_ms = 200;
  constexpr int k_very_slow_ms = 600;  // so that it takes few calls to be slower than the other was on average
  // A machine that stands still for a moment has measured something else: then they are played anew.
  constexpr int k_most_tries = 20;
  std::unique_ptr<Regions> regions;
  std::map<std::string, int> count;
  for (int i = 0; i < k_most_tries && !regions; ++i) {
    regions = std::make_unique<Regions>(lane("latency"));
    regions->north.script(region(k_quick_ms));
    regions->south.script(region(k_slow_ms));
    count = answered_by(*regions, 2);  // what has never been measured is tried at once
    REQUIRE(count["north"] == 1);
    REQUIRE(count["south"] == 1);
    const bool as_played =
        ttft_ms(*regions, "north") < k_slow_ms - k_quick_ms && ttft_ms(*regions, "south") < k_very_slow_ms - k_slow_ms;
    if (!as_played) regions.reset();
  }
  REQUIRE(regions);
  count["north"] += answered_by(*regions, 48)["north"];
  CHECK(count["north"] >= 45);
  regions->north.script(region(k_very_slow_ms));
  regions->south.script(region(k_quick_ms));
  answered_by(*regions, 80);
  count = answered_by(*regions, 20);  // the last of the first hundred
  CHECK(count["south"] >= 18);
}

TEST_CASE("least-busy gives a slow region no more than its share of what is in flight") {
  Regions regions(lane("least-busy"));
  regions.south.script({{"stall_after_chunks", 2}});  // for ever
  std::vector<Client> held;
  for (int i = 0; i < 12; ++i) {
    Client client(regions.rig.port());
    client.send(regions.rig.request("POST", k_chat, Regions::body(true), {"Connection: close"}));
    const std::string head = client.receive_some();
    REQUIRE(head.find("200 OK") != std::string::npos);
    const bool is_slow = head.find("x-nemo-upstream: south") != std::string::npos;
    if (is_slow) {
      held.push_back(std::move(client));
    } else {
      while (!client.receive_some().empty()) {
      }
    }
    CHECK(eventually([&] { return regions.in_flight("north") == 0; }));
    CHECK(regions.in_flight("south") <= 1);
  }
  CHECK(held.size() == 1);  // at the first tie, or at one after it
}

TEST_CASE("least-busy keeps two regions whose calls last within one of each other") {
  Regions regions(lane("least-busy"));
  for (FakeUpstream* fake : {&regions.north, &regions.south}) fake->script({{"stall_after_chunks", 2}});
  std::vector<Client> held;
  const auto hold_one = [&] {
    Client client(regions.rig.port());
    client.send(regions.rig.request("POST", k_chat, Regions::body(true)));
    const std::string head = client.receive_some();
    REQUIRE(head.find("200 OK") != std::string::npos);
    held.push_back(std::move(client));
    return head.find("x-nemo-upstream: north") != std::string::npos;
  };
  std::vector<std::size_t> at_north;
  for (std::size_t i = 0; i < 12; ++i) {
    if (hold_one()) at_north.push_back(i);
    const auto difference = regions.in_flight("north") - regions.in_flight("south");
    CHECK(std::abs(difference) <= 1);
  }
  REQUIRE(at_north.size() == 6);
  // Those of one region end: the next calls go there until the two are level.
  for (const std::size_t i : at_north) held[i].close();
  REQUIRE(eventually([&] { return regions.in_flight("north") == 0; }));
  for (int i = 0; i < 6; ++i) CHECK(hold_one());
  CHECK(regions.in_flight("north") == regions.in_flight("south"));
  held.clear();
  CHECK(eventually([&] { return regions.in_flight("north") + regions.in_flight("south") == 0; }));
}

TEST_CASE("tags that nothing carries are a clear 503, never another deployment in silence") {
  Regions regions(lane("simple-shuffle"), {{"gemini-2.5-flash", "north", "tags = [\"eu\"]\n"},
                                           {"gemini-2.5-flash", "south", "tags = [\"us\"]\n"}});
  for (const char* field : {"nemo_tags", "metadata"}) {
    const auto tagged = [&](const std::string& tag) {
      const Json tags = Json::array({tag});
      return std::string_view(field) == "nemo_tags" ? Json{{"nemo_tags", tags}} : Json{{"metadata", {{"tags", tags}}}};
    };
    const Reply none = regions.ask(false, tagged("moon"));
    CHECK(none.status == 503);
    const Json error = none.json()["error"];
    CHECK(error["code"] == "no_deployment_available");
    for (const char* word : {"gemini-2.5-flash@north", "gemini-2.5-flash@south", "tags"}) {
      CHECK(error["message"].get<std::string>().find(word) != std::string::npos);
    }
    CHECK(none.header("retry-after").empty());  // time does not help
    CHECK(regions.north.summary()["started"].get<int>() + regions.south.summary()["started"].get<int>() == 0);
    for (int i = 0; i < 8; ++i) {
      CHECK(regions.ask(false, tagged("us")).header("x-nemo-upstream") == "south");
      CHECK(regions.ask(false, tagged("!us")).header("x-nemo-upstream") == "north");
    }
    regions.north.reset();
    regions.south.reset();
  }
}

TEST_CASE("where only the lane's fallback carries the tags, the fallback answers") {
  Regions regions(lane("simple-shuffle") + "fallbacks = [\"gemini-2.5-flash-lite\"]\n",
                  {{"gemini-2.5-flash", "north", ""}, {"gemini-2.5-flash-lite", "south", "tags = [\"eu\"]\n"}});
  const Reply reply = regions.ask(false, {{"nemo_tags", {"eu"}}});
  CHECK(reply.status == 200);
  CHECK(reply.header("x-nemo-model") == "gemini-2.5-flash-lite");
}

TEST_CASE("deployments are added, drained and removed under load, and no stream is dropped") {
  const std::string shuffle = lane("simple-shuffle");
  Regions regions(shuffle, {k_both[0]});
  // Streams that outlast all of the reloads: they rest until they are let go on.
  regions.north.script({{"tokens", 100}, {"hold_after_chunks", 3}});
  constexpr int k_streams = 6;
  std::vector<Reply> replies(k_streams);
  std::vector<std::thread> readers;
  for (int i = 0; i < k_streams; ++i) {
    readers.emplace_back([&regions, &reply = replies[static_cast<std::size_t>(i)]] { reply = regions.ask(); });
  }
  CHECK(eventually([&] { return regions.north.summary()["open"] == k_streams; }));
  regions.north.script({{"tokens", 3}});
  std::atomic<bool> stops{false};
  std::array<std::atomic<int>, 3> calls{};  // of each thread
  std::atomic<int> failures{0};
  std::vector<std::thread> load;
  for (std::atomic<int>& own : calls) {
    load.emplace_back([&] {
      while (!stops) {
        const Reply reply = regions.ask();
        const bool is_whole = reply.status == 200 && reply.whole && stream_events(reply.body).back() == "[DONE]";
        if (!is_whole) ++failures;
        ++own;
      }
    });
  }
  // Every call that ran at first is over then, and each thread has made another one.
  const auto let_calls_pass = [&] {
    for (const std::atomic<int>& own : calls) {
      CHECK(eventually([&own, seen = own.load()] { return own >= seen + 4; }));
    }
  };
  let_calls_pass();
  regions.reload(k_both, shuffle);  // added
  CHECK(eventually([&] { return regions.south.summary()["started"] > 0; }));
  CHECK(regions.in_flight("north") >= k_streams);
  regions.reload({{"gemini-2.5-flash", "north", "weight = 0\n"}, k_both[1]}, shuffle);  // drained
  let_calls_pass();  // those that began before the reload are over
  const auto before = regions.north.summary()["started"].get<int>();
  let_calls_pass();
  CHECK(regions.north.summary()["started"] == before);
  regions.reload({k_both[1]}, shuffle);  // removed
  CHECK(regions.deployment("north").is_null());
  CHECK(regions.north.summary()["open"] == k_streams);
  let_calls_pass();
  stops = true;
  regions.north.release();
  for (std::thread& one : load) one.join();
  for (std::thread& one : readers) one.join();
  CHECK(failures == 0);
  for (const Reply& reply : replies) {
    CHECK(reply.status == 200);
    CHECK(reply.whole);
    CHECK(stream_events(reply.body).back() == "[DONE]");
    CHECK(reply.body.find("\"error\"") == std::string::npos);
  }
  CHECK(regions.north.summary()["cancelled"] == 0);
  CHECK(regions.south.summary()["cancelled"] == 0);
  const auto all = static_cast<std::size_t>(std::accumulate(calls.begin(), calls.end(), k_streams));
  const auto rows = regions.rig.rows(all);
  CHECK(rows.size() == all);
  for (const Json& row : rows) CHECK(row["status"] == "ok");
}

TEST_CASE("a deployment that fails cools, says so, and cools on after a reload") {
  const std::string rules = lane("latency") + "[routing]\nallowed_fails = 0\ncooldown = \"600s\"\n";
  const std::vector<Served> served{{"gemini-2.5-flash", "north", "order = 1\n"},
                                   {"gemini-2.5-flash", "south", "order = 2\n"}};
  Regions regions(rules, served);
  regions.north.script({{"status", 500}});
  CHECK(regions.deployment("north")["health"] == "healthy");
  const Reply first = regions.ask();
  CHECK(first.status == 200);
  CHECK(first.header("x-nemo-attempts") == "2");
  for (int reloads = 0; reloads < 2; ++reloads) {
    CAPTURE(reloads);
    const Json cooling = regions.deployment("north");
    CHECK(cooling["health"] == "cooling");
    CHECK(cooling["ready_in_s"].get<double>() > 0);
    CHECK(cooling["last_trouble"] == "upstream_error");
    CHECK(cooling["in_flight"] == 0);
    CHECK(regions.deployment("south")["health"] == "healthy");
    for (int i = 0; i < 5; ++i) {
      const Reply reply = regions.ask();
      CHECK(reply.header("x-nemo-upstream") == "south");
      CHECK(reply.header("x-nemo-attempts") == "1");
    }
    CHECK(regions.north.summary()["started"] == 1);
    regions.reload(served, "retention_days = " + std::to_string(30 + reloads) + "\n" + rules);
  }
}

TEST_CASE("a cooling deployment is better than none") {
  Regions regions(lane("latency") + "[routing]\nallowed_fails = 0\ncooldown = \"600s\"\nnum_retries = 0\n",
                  {k_both[0]});
  regions.north.script({{"status", 500}});
  CHECK(regions.ask().status == 502);
  CHECK(regions.deployment("north")["health"] == "cooling");
  regions.north.script({{"status", 200}});
  CHECK(regions.ask().status == 200);
}

TEST_CASE("when all that is left must be waited for, the answer says how long, and nobody is asked in vain") {
  Regions regions(lane("latency"));
  for (FakeUpstream* fake : {&regions.north, &regions.south}) {
    fake->script({{"status", 429}, {"retry_after", "300"}});
  }
  const Reply first = regions.ask();
  CHECK(first.status == 429);
  CHECK(first.header("retry-after") == "300");
  CHECK(first.header("x-nemo-attempts") == "2");
  for (const char* name : {"north", "south"}) CHECK(regions.deployment(name)["health"] == "rate-limited");
  const Reply second = regions.ask();
  CHECK(second.status == 503);
  CHECK(second.json()["error"]["code"] == "no_deployment_available");
  const int wait = std::stoi("0" + second.header("retry-after"));
  CHECK(wait > 0);
  CHECK(wait <= 300);
  CHECK(regions.north.summary()["started"] == 1);
  CHECK(regions.south.summary()["started"] == 1);
}

TEST_CASE("a deployment takes no more calls a minute than its rpm, and then says when it will") {
  Regions regions(lane("latency"), {{"gemini-2.5-flash", "north", "rpm = 2\n"}});
  for (int i = 0; i < 2; ++i) CHECK(regions.ask().status == 200);
  const Reply third = regions.ask();
  CHECK(third.status == 503);
  const int wait = std::stoi("0" + third.header("retry-after"));
  CHECK(wait > 0);
  CHECK(wait <= 60);
  CHECK(regions.north.summary()["started"] == 2);
}

}  // namespace nemo::test::routing_test
