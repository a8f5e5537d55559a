#include "daemon/upstream/model_lists.h"

#include <doctest/doctest.h>

#include "fetch.h"
#include "tcp_server.h"

namespace nemo::test::model_lists_test {

using namespace nemo;
using namespace nemo::test;
using config::UpstreamKind;

namespace {

// The answer's words are the ids.
Result<std::vector<std::string>> ids_of(std::string_view body) {
  return std::vector<std::string>{std::string(body)};
}

config::Upstream upstream_of(UpstreamKind kind, const std::string& base_url, const std::string& name = "one") {
  config::Upstream settings;
  settings.name = name;
  settings.kind = kind;
  settings.base_url = base_url;
  return settings;
}

struct Server {
  std::mutex mutex;
  std::vector<std::string> asked;
  TcpServer tcp{[this](Peer& peer, int) {
    for (std::string one; !(one = peer.read_request()).empty();) {
      {
        const std::lock_guard lock(mutex);
        asked.push_back(one);
      }
      peer.answer("a-model");
    }
  }};
  std::string base_url() const { return "http://127.0.0.1:" + std::to_string(tcp.port()) + "/v1"; }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex);
    return asked;
  }
};

bool knows_models(const upstream::ModelLists& lists, const std::string& name) {
  const auto states = lists.states();
  const auto state = states.find(name);
  return state != states.end() && state->second.models.has_value();
}

}  // namespace

TEST_CASE("an upstream is asked for its list with its key, and what it lists is known") {
  Server server;
  upstream::CurlTransport transport;
  upstream::ModelLists lists(transport, ids_of, [] {});
  lists.set_upstreams({{upstream_of(UpstreamKind::openai, server.base_url()), Secret("sk-own"), false}});
  REQUIRE(eventually([&] { return knows_models(lists, "one"); }));
  const upstream::ListState state = lists.states().at("one");
  CHECK(state.has_list);
  CHECK(state.tried);
  CHECK(state.error.empty());
  CHECK(*state.models == std::set<std::string>{"a-model"});
  const std::string request = server.requests().at(0);
  CHECK(request.starts_with("GET /v1/models HTTP/1.1\r\n"));
  CHECK(request.find("\r\nAuthorization: Bearer sk-own\r\n") != std::string::npos);
}

TEST_CASE("an upstream of kind anthropic is asked for its whole list in the way of its API") {
  Server server;
  upstream::CurlTransport transport;
  upstream::ModelLists lists(transport, ids_of, [] {});
  lists.set_upstreams({{upstream_of(UpstreamKind::anthropic, server.base_url()), Secret("sk-ant-own"), false}});
  REQUIRE(eventually([&] { return knows_models(lists, "one"); }));
  const std::string request = server.requests().at(0);
  CHECK(request.starts_with("GET /v1/models?limit=1000 HTTP/1.1\r\n"));
  CHECK(request.find("\r\nx-api-key: sk-ant-own\r\n") != std::string::npos);
  CHECK(request.find("\r\nanthropic-version: 2023-06-01\r\n") != std::string::npos);
  CHECK(request.find("Authorization") == std::string::npos);
}

TEST_CASE("an upstream of kind vertex has no list: it is never asked, and that is no error") {
  Server server;
  upstream::CurlTransport transport;
  upstream::ModelLists lists(transport, ids_of, [] {});
  lists.set_upstreams({{upstream_of(UpstreamKind::vertex, server.base_url(), "google"), {}, false},
                       {upstream_of(UpstreamKind::openai, server.base_url(), "after it"), {}, false}});
  REQUIRE(eventually([&] { return knows_models(lists, "after it"); }));
  CHECK(server.requests().size() == 1);
  const upstream::ListState state = lists.states().at("google");
  CHECK(!state.has_list);
  CHECK(!state.tried);
  CHECK(state.error.empty());
  CHECK(!state.models.has_value());
  const auto probed = lists.probe("google");
  REQUIRE(!probed.ok());
  CHECK(probed.error().kind == ErrorKind::invalid_request);
  CHECK(probed.error().message.find("no list") != std::string::npos);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("what an upstream listed is forgotten when it becomes one without a list") {
  Server server;
  upstream::CurlTransport transport;
  upstream::ModelLists lists(transport, ids_of, [] {});
  lists.set_upstreams({{upstream_of(UpstreamKind::openai, server.base_url()), {}, false}});
  REQUIRE(eventually([&] { return knows_models(lists, "one"); }));
  lists.set_upstreams({{upstream_of(UpstreamKind::vertex, server.base_url()), {}, false}});
  CHECK(!lists.states().at("one").has_list);
  CHECK(!lists.states().at("one").models.has_value());
  lists.set_upstreams({{upstream_of(UpstreamKind::openai, server.base_url()), {}, false}});
  CHECK(lists.states().at("one").has_list);
  CHECK(eventually([&] { return knows_models(lists, "one"); }));
}

}  // namespace nemo::test::model_lists_test
