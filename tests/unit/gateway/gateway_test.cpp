#include "daemon/gateway/gateway.h"

#include <doctest/doctest.h>

#include "chunks.h"
#include "office.h"

namespace nemo::test::gateway_test {

using namespace nemo;
using namespace nemo::test;
using gateway::client_name;

TEST_CASE("the client's name is its user-agent without the version") {
  CHECK(client_name("OpenAI/JS 4.104.0") == "OpenAI/JS");
  CHECK(client_name("curl/7.88.1") == "curl");
  CHECK(client_name("python-requests/2.31") == "python-requests");
  CHECK(client_name("Mozilla/5.0 (X11)") == "Mozilla");
  CHECK(client_name("Zed (linux)") == "Zed");
  CHECK(client_name("ai-sdk/provider/1.0") == "ai-sdk/provider");
  CHECK(client_name("").empty());
  CHECK(client_name("bad\r\nx-evil: 1") == "bad");
  CHECK(client_name(std::string(500, 'a')).size() == 40);
}

TEST_CASE("an answer carries the call's headers, and its row the same facts") {
  Office office;
  office.transport.expect(says(200, good_answer(5, 7)));
  auto answer = office.chat();
  const auto row = office.settle(answer);
  CHECK(header(answer, "x-nemo-request-id") == row.id);
  CHECK(header(answer, "x-nemo-model") == "m");
  CHECK(header(answer, "x-nemo-lane") == "reasoning");
  CHECK(header(answer, "x-nemo-request-cost") == "0.000075");
  CHECK(row.cost == NanoUsd{75'000});
  CHECK(row.client == "OpenAI/JS");
  CHECK(row.seat == "local");
  CHECK(row.http_status == 200);
  CHECK(row.requested_model == "m");
  CHECK(row.usage.source == call::UsageSource::provider);
}

TEST_CASE("what can be refused without asking upstream is refused without asking upstream") {
  struct Case {
    std::string body;
    int status;
    std::string code;
    call::Outcome outcome;
  };
  const std::vector<Case> cases{
      {"not json", 400, "invalid_request", call::Outcome::error},
      {"[]", 400, "invalid_request", call::Outcome::error},
      {R"({"model":"m"})", 400, "invalid_request", call::Outcome::error},
      {R"({"model":7,"messages":[{}]})", 400, "invalid_request", call::Outcome::error},
      {R"({"model":"nope","messages":[{"role":"user","content":"x"}]})", 404, "model_not_found", call::Outcome::error},
      {R"({"model":"e","messages":[{"role":"user","content":"x"}]})", 400, "invalid_request", call::Outcome::error},
      {R"({"model":"free","messages":[{"role":"user","content":"x"}]})", 402, "model_not_priced",
       call::Outcome::refused},
  };
  for (const Case& one : cases) {
    Office office;
    catalog::ModelOverride unpriced;
    unpriced.capabilities = std::vector<std::string>{"chat"};
    office.world.catalog = catalog::Catalog({{"m", model({"chat"})}, {"e", model({"embeddings"})}, {"free", unpriced}});
    office.deploy("free", "a");
    auto answer = office.ask(one.body);
    CHECK_MESSAGE(answer.status == one.status, one.body);
    CHECK(answer.body.find("\"code\":\"" + one.code + "\"") != std::string::npos);
    CHECK(!header(answer, "x-nemo-request-id").empty());
    const auto row = office.settle(answer);
    CHECK(row.outcome == one.outcome);
    CHECK(row.error_code == one.code);
    CHECK(row.cost == NanoUsd{0});
    CHECK(office.transport.requests().empty());
  }
}

TEST_CASE("a call leaves one row, whatever became of it") {
  Office office;
  office.transport.expect(says(200, good_answer()));
  office.transport.expect(says(400, "{}"));
  for (int i = 0; i < 2; ++i) {
    auto answer = office.chat();
    office.settle(answer);
    office.settle(answer);
  }
  auto bad = office.ask("{");
  office.settle(bad);
  { auto dropped = office.ask("{"); }
  CHECK(office.ledger.rows().size() == 4);
}

TEST_CASE("without a key nobody is served where keys are required, and the message says how to make one") {
  Office office;
  office.world.settings.require_key = true;
  auto answer = office.chat();
  CHECK(answer.status == 401);
  CHECK(answer.body.find("nemo keys create") != std::string::npos);
  CHECK(office.transport.requests().empty());
}

TEST_CASE("a key opens the door for its seat; a wrong, revoked or expired one does not") {
  Office office;
  office.world.settings.require_key = true;
  access::NewKey good = access::make_key("ann", "growth", office.clock.wall());
  access::NewKey revoked = access::make_key("bob", "", office.clock.wall());
  revoked.record.revoked_at = office.clock.wall();
  access::NewKey expired = access::make_key("cy", "", office.clock.wall());
  expired.record.expires_at = office.clock.wall();
  office.keys.replace({good.record, revoked.record, expired.record});
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
  const auto ask = [&](std::string_view key) { return office.ask(body, call::Surface::openai_chat, std::string(key)); };
  office.clock.advance(std::chrono::seconds(1));
  CHECK(ask("sk-nemo-wrong").body.find("invalid_api_key") != std::string::npos);
  CHECK(ask(revoked.text.expose()).body.find("key_revoked") != std::string::npos);
  CHECK(ask(expired.text.expose()).body.find("key_expired") != std::string::npos);
  office.transport.expect(says(200, good_answer()));
  auto answer = ask(good.text.expose());
  CHECK(answer.status == 200);
  const auto row = office.settle(answer);
  CHECK(row.seat == "ann");
  CHECK(row.team == "growth");
  CHECK(row.key == good.record.id);
}

TEST_CASE("where no key is required a foreign key means nothing, but one of Nemo's must be right") {
  Office office;
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
  office.transport.expect(says(200, good_answer()));
  CHECK(office.ask(body, call::Surface::openai_chat, "sk-something-else").status == 200);
  CHECK(office.ask(body, call::Surface::openai_chat, "sk-nemo-wrong").status == 401);
}

TEST_CASE("a key bound to models may use no other, and is not shown others") {
  Office office;
  access::NewKey key = access::make_key("ann", "", office.clock.wall());
  key.record.models = {"other"};
  office.keys.replace({key.record});
  office.deploy("other", "b");
  auto answer = office.ask(R"({"model":"m","messages":[{"role":"user","content":"hi"}]})", call::Surface::openai_chat,
                           std::string(key.text.expose()));
  CHECK(answer.status == 403);
  CHECK(answer.body.find("model_not_allowed") != std::string::npos);
  const std::string list = office.page(gateway::Page::openai_models, key.text).body;
  CHECK(list.find("\"id\":\"other\"") != std::string::npos);
  CHECK(list.find("\"id\":\"m\"") == std::string::npos);
  CHECK(office.page(gateway::Page::openai_model, key.text, "m").status == 404);
}

TEST_CASE("the model list names the lanes, the aliases and what is served, in OpenAI's shape") {
  Office office;
  office.world.table.aliases["fast"] = "m";
  office.live.set(std::make_shared<const gateway::Snapshot>(office.world));
  const std::string list = office.page(gateway::Page::openai_models).body;
  CHECK(list.starts_with(R"({"object":"list","data":[{"id":"nemo/auto","object":"model","created":)"));
  for (const char* id : {"nemo/completion", "nemo/reasoning", "fast", "m"}) {
    CHECK(list.find("\"id\":\"" + std::string(id) + "\"") != std::string::npos);
  }
  CHECK(list.find("\"id\":\"other\"") == std::string::npos);  // known, but served nowhere
  CHECK(office.page(gateway::Page::openai_model, Secret(), "fast").status == 200);
  const auto unknown = office.page(gateway::Page::openai_model, Secret(), "mm");
  CHECK(unknown.status == 404);
  CHECK(unknown.body.find("model_not_found") != std::string::npos);
}

TEST_CASE("a legacy completion is served through chat where the upstream has chat only") {
  Office office;
  office.world.endpoints["a"].settings.completions = "chat";
  office.transport.expect(says(200, good_answer()));
  auto answer = office.ask(R"x({"model":"m","prompt":"def f(","suffix":")"})x", call::Surface::openai_completions);
  CHECK(answer.status == 200);
  CHECK(office.transport.requests().at(0).url.ends_with("/chat/completions"));
  CHECK(answer.body.find("\"object\":\"text_completion\"") != std::string::npos);
  CHECK(answer.body.find("\"text\":\"hello\"") != std::string::npos);
  const auto row = office.settle(answer);
  CHECK(row.lane == "completion");
  CHECK(row.cost == NanoUsd{75'000});
}

TEST_CASE("a legacy completion goes to /completions where the upstream has it") {
  Office office;
  office.world.endpoints["a"].settings.completions = "native";
  office.transport.expect(says(200, R"({"object":"text_completion","choices":[{"text":"x"}]})"));
  office.ask(R"({"model":"m","prompt":"a"})", call::Surface::openai_completions);
  CHECK(office.transport.requests().at(0).url == "http://a.test/v1/completions");
}

TEST_CASE("a service's own headers are passed on, but never in place of Nemo's") {
  Office office;
  office.world.endpoints["a"].settings.kind = config::UpstreamKind::nemo;
  ScriptedAnswer good = says(200, good_answer());
  good.headers = {{"x-nemo-guardrail", "redacted"}, {"x-nemo-request-id", "theirs"}, {"server", "x"}};
  office.transport.expect(std::move(good));
  auto answer = office.chat();
  CHECK(header(answer, "x-nemo-guardrail") == "redacted");
  CHECK(header(answer, "x-nemo-request-id") != "theirs");
  CHECK(header(answer, "server").empty());
}

TEST_CASE("an upstream that answers a stream's request in one piece is passed on so, with its cost") {
  Office office;
  office.transport.expect(says(200, good_answer(1, 1)));
  auto answer = office.chat_stream();
  CHECK(answer.stream == nullptr);
  CHECK(answer.body == good_answer(1, 1));
  CHECK(office.settle(answer).cost == NanoUsd{11'000});
}

TEST_CASE("a secret in upstream's refusal reaches neither the client nor the trace") {
  Office office;
  office.transport.expect(
      says(401, R"({"error":{"message":"Incorrect API key provided: sk-abcdefghijklmnopqrstuvwx"}})"));
  auto answer = office.chat();
  CHECK(answer.status == 401);
  CHECK(answer.body.find("abcdefgh") == std::string::npos);
  CHECK(office.settle(answer).trace.attempts.at(0).error.find("abcdefgh") == std::string::npos);
}

}  // namespace nemo::test::gateway_test
