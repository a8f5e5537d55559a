// A gateway with a scripted upstream, a ledger in memory and a small world: model "m" served at a, b and c.
#pragma once

#include <memory>
#include <string>

#include "daemon/gateway/gateway.h"
#include "daemon/gateway/pages/pages.h"
#include "fake_clock.h"
#include "memory_lease_store.h"
#include "memory_ledger.h"
#include "scripted_transport.h"

namespace nemo::test {

inline catalog::ModelOverride model(std::vector<std::string> capabilities) {
  catalog::ModelOverride made;
  made.price = catalog::Price{{1'000'000'000}, std::nullopt, std::nullopt, {10'000'000'000}};
  made.capabilities = std::move(capabilities);
  return made;
}

struct Office {
  Office() : gateway(live, {keys, budgets, density, limiter}, transport, ledger, clock) {
    world.settings.require_key = false;
    world.catalog =
        catalog::Catalog({{"m", model({"chat"})}, {"other", model({"chat"})}, {"e", model({"embeddings"})}});
    for (const char* name : {"a", "b", "c"}) add_upstream(name);
    for (const char* name : {"a", "b", "c"}) deploy("m", name);
    world.table.lanes["reasoning"] = {"m", {}, {}};
    world.table.lanes["completion"] = {"m", {}, {}};
  }

  void add_upstream(const std::string& name) {
    gateway::Endpoint endpoint;
    endpoint.settings.name = name;
    endpoint.settings.base_url = "http://" + name + ".test/v1";
    endpoint.key = Secret("key-of-" + name);
    world.endpoints[name] = endpoint;
  }
  routing::Deployment& deploy(const std::string& id, const std::string& upstream) {
    routing::Deployment one;
    one.id = id + "@" + upstream;
    one.model = id;
    one.upstream = upstream;
    one.upstream_model = id + "-at-" + upstream;
    one.order = ++m_deployed;  // the order in which they are tried
    world.table.deployments.push_back(one);
    return world.table.deployments.back();
  }

  gateway::Answer ask(const std::string& body, call::Surface surface = call::Surface::openai_chat,
                      const std::string& key = "") {
    live.set(std::make_shared<const gateway::Snapshot>(world));
    gateway::Incoming incoming;
    incoming.surface = surface;
    incoming.body = body;
    incoming.key = Secret(key);
    incoming.user_agent = "OpenAI/JS 4.1.0";
    incoming.client_fd = 1000;  // never looked at: the script says when the client leaves
    incoming.received_at = std::chrono::steady_clock::now();
    incoming.at = clock.wall();
    return gateway.answer(std::move(incoming));
  }
  gateway::Answer chat() { return ask(R"({"model":"m","messages":[{"role":"user","content":"hi"}]})"); }
  gateway::Answer chat_stream() {
    return ask(R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})");
  }
  gateway::Answer page(gateway::Page page, const Secret& key = {}, const std::string& rest = "",
                       const std::string& body = "") {
    live.set(std::make_shared<const gateway::Snapshot>(world));
    gateway::PageRequest request;
    request.page = page;
    request.key = key;
    request.rest = rest;
    request.body = body;
    return gateway::Pages(live, keys, clock).answer(request);
  }
  // Ends the call as the HTTP edge would, and returns its row.
  call::CallRecord settle(gateway::Answer& answer, gateway::Delivery delivery = gateway::Delivery::complete) {
    answer.settlement->finish(delivery);
    const auto rows = ledger.rows();
    return rows.empty() ? call::CallRecord{} : rows.back();
  }

  gateway::Snapshot world;
  gateway::Live live;
  access::KeyBook keys;
  ScriptedTransport transport;
  MemoryLedger ledger;
  FakeClock clock;
  MemoryLeaseStore leases;
  budget::Book budgets{leases, clock};
  budget::Density density;
  limits::Limiter limiter{clock};
  gateway::Gateway gateway;

 private:
  int m_deployed = 0;
};

inline std::string header(const gateway::Answer& answer, const std::string& name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return {};
}

inline std::string good_answer(int input = 5, int output = 7) {
  return R"({"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},)"
         R"("finish_reason":"stop"}],"usage":{"prompt_tokens":)" +
         std::to_string(input) + R"(,"completion_tokens":)" + std::to_string(output) + R"(,"total_tokens":)" +
         std::to_string(input + output) + "}}";
}

}  // namespace nemo::test
