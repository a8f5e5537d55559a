#include "daemon/upstream/health_prober.h"

#include <doctest/doctest.h>

#include "fake_clock.h"
#include "fetch.h"
#include "tcp_server.h"

namespace nemo::test::health_prober_test {

using namespace nemo;
using namespace nemo::test;
using config::UpstreamKind;
using routing::Condition;
using std::chrono::seconds;
using upstream::due_upstreams;
using upstream::ProbedDeployment;
using upstream::Standing;
using Names = std::vector<std::string>;

namespace {

constexpr SteadyTime k_now{seconds(100'000)};

Standing standing(const std::string& upstream, Condition condition, seconds since_call = seconds(1)) {
  return {upstream, condition, k_now - since_call};
}

Names due(const std::vector<Standing>& deployments, const std::map<std::string, SteadyTime>& last_asked = {}) {
  return due_upstreams(deployments, last_asked, k_now);
}

// Upstreams on one server, told apart by their paths, and their deployments.
struct World {
  FakeClock clock;
  std::mutex mutex;
  std::vector<std::string> asked;  // request lines
  std::atomic<int> status{200};
  std::atomic<int> connections{0};
  TcpServer server{[this](Peer& peer, int) {
    ++connections;
    for (std::string one; !(one = peer.read_request()).empty();) {
      {
        const std::lock_guard lock(mutex);
        asked.push_back(one.substr(0, one.find(" HTTP/")));
      }
      if (one.starts_with("GET /silent/")) return peer.wait_for_close();
      peer.send("HTTP/1.1 " + std::to_string(status) + " So\r\nContent-Length: 2\r\n\r\n{}");
    }
  }};
  upstream::CurlTransport transport;

  ProbedDeployment deployment(const std::string& upstream, UpstreamKind kind = UpstreamKind::openai) const {
    ProbedDeployment made;
    made.id = "model@" + upstream;
    made.upstream.name = upstream;
    made.upstream.kind = kind;
    made.upstream.base_url = server.url("/" + upstream);
    routing::HealthRules rules;
    rules.allowed_fails = 0;
    made.gauge = std::make_shared<routing::Gauge>(rules);
    return made;
  }
  void fail_once(const ProbedDeployment& deployment) const {
    auto call = deployment.gauge->begin("completion", routing::Answering::streamed, clock.steady());
    call.failed(routing::Trouble::server_error, "upstream_error", std::nullopt, clock.steady());
  }
  void begin_call(const ProbedDeployment& deployment) const {
    deployment.gauge->begin("completion", routing::Answering::streamed, clock.steady());
  }
  routing::Figures figures(const ProbedDeployment& deployment) const {
    return deployment.gauge->figures("completion", routing::Answering::streamed, clock.steady());
  }
  int times(const std::string& request) {
    const std::lock_guard lock(mutex);
    return static_cast<int>(std::count(asked.begin(), asked.end(), request));
  }
  // When this comes back, whoever was due has been asked and heard: a newly named upstream is always due, and a second
  // one is asked only when all questions of the round before have been answered.
  void look(upstream::HealthProber& prober, std::vector<ProbedDeployment> deployments) {
    for (int round = 0; round < 2; ++round) {
      const std::string name = "new" + std::to_string(m_looks++);
      deployments.push_back(deployment(name));
      prober.set_deployments(deployments);
      REQUIRE(eventually([&] { return times("GET /" + name + "/models") == 1; }));
    }
  }

 private:
  int m_looks = 0;
};

}  // namespace

TEST_CASE("an upstream is due when a deployment of it is cooling or half-open, whatever the others do") {
  CHECK(due({standing("a", Condition::healthy)}).empty());
  CHECK(due({standing("a", Condition::cooling)}) == Names{"a"});
  CHECK(due({standing("a", Condition::half_open)}) == Names{"a"});
  CHECK(due({standing("a", Condition::healthy), standing("b", Condition::healthy),
             standing("a", Condition::cooling)}) == Names{"a"});
}

TEST_CASE("an upstream in trouble is asked once in ten seconds, however many of its deployments are") {
  const std::vector<Standing> cooling = {standing("a", Condition::cooling), standing("a", Condition::half_open)};
  CHECK(due(cooling) == Names{"a"});
  CHECK(due(cooling, {{"a", k_now - seconds(9)}}).empty());
  CHECK(due(cooling, {{"a", k_now - seconds(10)}}) == Names{"a"});
  CHECK(due(cooling, {{"b", k_now}}) == Names{"a"});
}

TEST_CASE("an upstream is due when no call has begun at any of its deployments for a minute, once in a minute") {
  CHECK(due({standing("a", Condition::healthy, seconds(59))}).empty());
  CHECK(due({standing("a", Condition::healthy, seconds(60))}) == Names{"a"});
  CHECK(due({standing("a", Condition::healthy, seconds(600)), standing("a", Condition::healthy, seconds(5))}).empty());
  CHECK(due({standing("a", Condition::healthy, seconds(5)), standing("a", Condition::healthy, seconds(600))}).empty());
  CHECK(due({standing("a", Condition::healthy, seconds(600))}, {{"a", k_now - seconds(59)}}).empty());
  CHECK(due({standing("a", Condition::healthy, seconds(600))}, {{"a", k_now - seconds(60)}}) == Names{"a"});
  CHECK(due({{"a", Condition::healthy, SteadyTime::min()}}) == Names{"a"});
}

TEST_CASE("an upstream that said when to come back is left alone until then") {
  CHECK(due({standing("a", Condition::rate_limited)}).empty());
  CHECK(due({standing("a", Condition::rate_limited, seconds(600))}).empty());
  CHECK(due({standing("a", Condition::rate_limited), standing("a", Condition::cooling)}) == Names{"a"});
}

TEST_CASE("any status but a server's failure and a refused key is an answer; 429 says nothing") {
  using upstream::Verdict;
  using upstream::verdict_on;
  for (const int status : {200, 204, 302, 400, 404, 405, 499}) CHECK(verdict_on(status) == Verdict{true, ""});
  for (const int status : {500, 502, 503, 529}) CHECK(verdict_on(status) == Verdict{false, "upstream_error"});
  for (const int status : {401, 403}) CHECK(verdict_on(status) == Verdict{false, "unauthorized"});
  CHECK(verdict_on(429) == std::nullopt);
}

TEST_CASE("a deployment whose cooldown has ended is well again when its upstream lists its models") {
  World world;
  const ProbedDeployment failed = world.deployment("a");
  world.fail_once(failed);
  world.clock.advance(seconds(6));
  REQUIRE(world.figures(failed).condition == Condition::half_open);
  upstream::HealthProber prober(world.transport, world.clock);
  prober.set_deployments({failed});
  CHECK(eventually([&] { return world.figures(failed).condition == Condition::healthy; }));
  CHECK(world.times("GET /a/models") == 1);
}

TEST_CASE("an upstream is asked once for all its deployments, which are all told") {
  World world;
  world.status = 503;
  const ProbedDeployment one = world.deployment("a");
  const ProbedDeployment two = world.deployment("a");
  upstream::HealthProber prober(world.transport, world.clock);
  world.look(prober, {one, two});
  for (const ProbedDeployment& each : {one, two}) {
    CHECK(world.figures(each).condition == Condition::cooling);
    CHECK(world.figures(each).last_trouble == "upstream_error");
  }
  CHECK(world.times("GET /a/models") == 1);
}

TEST_CASE("an upstream that cannot be reached is told as what it is") {
  World world;
  ProbedDeployment gone = world.deployment("a");
  {
    const TcpServer closed([](Peer&, int) {});
    gone.upstream.base_url = closed.url("/v1");
  }
  upstream::HealthProber prober(world.transport, world.clock);
  prober.set_deployments({gone});
  CHECK(eventually([&] { return world.figures(gone).last_trouble == "upstream_error"; }));
}

TEST_CASE("how often an upstream is asked goes by the clock, and is remembered when the deployments are set again") {
  World world;
  const ProbedDeployment idle = world.deployment("a");
  upstream::HealthProber prober(world.transport, world.clock);
  world.look(prober, {idle});
  CHECK(world.times("GET /a/models") == 1);
  world.clock.advance(seconds(59));
  world.look(prober, {idle});
  CHECK(world.times("GET /a/models") == 1);
  world.clock.advance(seconds(1));
  world.look(prober, {idle});
  CHECK(world.times("GET /a/models") == 2);
  world.begin_call(idle);
  world.clock.advance(seconds(59));
  world.look(prober, {idle});
  CHECK(world.times("GET /a/models") == 2);
}

TEST_CASE("an upstream whose key is missing is never asked, and one without a list is only connected to") {
  World world;
  world.status = 404;
  const ProbedDeployment vertex = world.deployment("vertex", UpstreamKind::vertex);
  world.fail_once(vertex);
  const Condition before = world.figures(vertex).condition;
  ProbedDeployment keyless = world.deployment("keyless");
  keyless.upstream.key = {config::SecretRef::Kind::env, "MISSING"};
  upstream::HealthProber prober(world.transport, world.clock);
  world.look(prober, {vertex, keyless});
  CHECK(world.times("GET /vertex") == 1);
  CHECK(world.figures(vertex).condition == before);  // what it answered says nothing of its models
  CHECK(world.times("GET /keyless/models") == 0);
}

TEST_CASE("after an interruption every upstream is due, but for those that said when to come back") {
  const auto after = [](const std::vector<Standing>& deployments) {
    return due_upstreams(deployments, {{"a", k_now}}, k_now, upstream::Occasion::interruption);
  };
  CHECK(after({standing("a", Condition::healthy)}) == Names{"a"});
  CHECK(after({standing("a", Condition::rate_limited)}).empty());
}

TEST_CASE("when the machine has slept connections are made anew before anybody asks for them") {
  World world;
  std::atomic<int> slept{0};
  const ProbedDeployment busy = world.deployment("a");
  upstream::HealthProber prober(world.transport, world.clock, [&] {
    return upstream::Sight{std::chrono::minutes(slept), "10.0.0.1 "};
  });
  world.begin_call(busy);
  world.look(prober, {busy});
  CHECK(world.times("GET /a/models") == 0);  // it is in use: nothing is due
  const int connections = world.connections;
  slept = 7;
  world.look(prober, {busy});
  CHECK(world.times("GET /a/models") == 1);
  CHECK(world.connections > connections);
}

TEST_CASE("an upstream of kind anthropic is asked with its key in its own header") {
  std::string seen;
  std::atomic<bool> asked{false};
  TcpServer server([&](Peer& peer, int) {
    seen = peer.read_request();
    peer.answer("{}");
    asked = true;
  });
  World world;
  ProbedDeployment claude = world.deployment("claude", UpstreamKind::anthropic);
  claude.upstream.base_url = server.url("/v1");
  claude.key = Secret("sk-ant-own");
  upstream::HealthProber prober(world.transport, world.clock);
  prober.set_deployments({claude});
  REQUIRE(eventually([&] { return asked.load(); }));
  CHECK(seen.find("\r\nx-api-key: sk-ant-own\r\n") != std::string::npos);
}

TEST_CASE("an upstream that says nothing neither holds up the others nor the end") {
  World world;
  const ProbedDeployment silent = world.deployment("silent");
  const ProbedDeployment other = world.deployment("zother");
  {
    upstream::HealthProber prober(world.transport, world.clock);
    prober.set_deployments({silent, other});
    CHECK(eventually([&] { return world.times("GET /zother/models") == 1; }));
    CHECK(eventually([&] { return world.times("GET /silent/models") == 1; }));
  }
  CHECK(world.figures(silent).last_trouble.empty());  // given up, not timed out
}

}  // namespace nemo::test::health_prober_test
