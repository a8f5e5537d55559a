// Messages for an upstream that speaks them: what is changed, what passes, and how a stream ends.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/translate/messages_native.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::test::messages_surface_native_test {

using namespace nemo::protocol;
using Json = nlohmann::json;

namespace {

struct Call {
  explicit Call(const std::string& bytes) : body(RequestBody::parse(bytes)) {
    REQUIRE(body.ok());
    auto read = messages_form().parse(*body, {});
    REQUIRE(read.ok());
    spec = std::move(*read);
  }
  std::string sent(MessagesFor target = MessagesFor::anthropic, std::optional<std::int64_t> cap = {},
                   const std::string& model = "claude-x") const {
    const auto conversation = make_messages_conversation({*body, spec}, target);
    auto bytes = conversation->request(model, cap);
    REQUIRE(bytes.ok());
    return *bytes;
  }
  nemo::Result<RequestBody> body;
  nemo::call::CallSpec spec;
};

const std::string k_odd =
    "\n{ \"model\" : \"claude-x\",\"max_tokens\": 10 ,\"messages\":[{\"role\":\"user\",\n \"content\":\"\\u00e9 "
    "\\/\"}],"
    "\"unknown\":{\"x\":1E2},\"stream\":true }\n";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

std::unique_ptr<nemo::stream::Translator> translator() {
  static const Call k_call(R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}]})");
  return make_messages_conversation({*k_call.body, k_call.spec}, MessagesFor::anthropic)->stream_translator();
}

std::string passed(const std::string& stream, nemo::stream::Translator& into) {
  nemo::stream::SseScanner scanner;
  scanner.feed(stream);
  std::string out;
  while (const auto next = scanner.next()) into.translate(*next, out);
  while (const auto next = scanner.finish()) into.translate(*next, out);
  return out;
}

const std::string k_start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n";
const std::string k_stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

}  // namespace

TEST_CASE("a request reaches Anthropic byte for byte, but for its model") {
  const std::string body = k_odd;
  CHECK(Call(body).sent() == body);
  CHECK(Call(body).sent(MessagesFor::anthropic, {}, "claude-y-20250101") ==
        replaced(body, "claude-x", "claude-y-20250101"));
  const std::string without = replaced(body, "\"model\" : \"claude-x\",", "");
  CHECK(Json::parse(Call(without).sent())["model"] == "claude-x");
}

TEST_CASE("Vertex gets its version in place of the model") {
  const std::string body = k_odd;
  const Json sent = Json::parse(Call(body).sent(MessagesFor::vertex));
  CHECK_FALSE(sent.contains("model"));
  CHECK(sent["anthropic_version"] == "vertex-2023-10-16");
  CHECK(sent["unknown"]["x"] == 100.0);
  Json own = Json::parse(body);
  own["anthropic_version"] = "vertex-2030-01-01";
  own["context_management"] = Json::object();
  const Json kept = Json::parse(Call(own.dump()).sent(MessagesFor::vertex));
  CHECK(kept["anthropic_version"] == "vertex-2030-01-01");
  CHECK_FALSE(kept.contains("context_management"));
  CHECK(Json::parse(Call(own.dump()).sent())["context_management"] == Json::object());
}

TEST_CASE("nemo's extensions stay here") {
  const std::string body =
      R"({"nemo_lane":"l","model":"claude-x","max_tokens":5,"messages":[{"role":"user","content":"x"}],)"
      R"("nemo_cache":false,"metadata":{"user_id":"u","tags":["a"]},"nemo_tags":["b"],"nemo_fallbacks":["m"]})";
  CHECK(Json::parse(Call(body).sent()) ==
        Json::parse(R"({"model":"claude-x","max_tokens":5,"messages":[{"role":"user","content":"x"}],)"
                    R"("metadata":{"user_id":"u"}})"));
}

TEST_CASE("a budget's cap lowers max_tokens, and thinking with it") {
  const auto capped = [](const Json& more, std::int64_t cap) {
    Json body = {{"model", "claude-x"}, {"max_tokens", 32000}, {"messages", {{{"role", "user"}, {"content", "x"}}}}};
    body.update(more);
    return Json::parse(Call(body.dump()).sent(MessagesFor::anthropic, cap));
  };
  CHECK(capped(Json::object(), 100)["max_tokens"] == 100);
  CHECK(capped(Json::object(), 40000)["max_tokens"] == 32000);
  CHECK(capped(Json::object(), 0)["max_tokens"] == 1);
  const Json thinking = {{"thinking", {{"type", "enabled"}, {"budget_tokens", 16000}}}};
  CHECK(capped(thinking, 20000)["thinking"]["budget_tokens"] == 16000);
  CHECK(capped(thinking, 8000)["thinking"] == Json{{"type", "enabled"}, {"budget_tokens", 4000}});
  CHECK_FALSE(capped(thinking, 1000).contains("thinking"));
  CHECK(capped({{"thinking", {{"type", "adaptive"}}}}, 1000)["thinking"]["type"] == "adaptive");
}

TEST_CASE("thinking that Claude did not sign is left out, and nothing else of the turns") {
  const auto turns = [](const Json& messages, MessagesFor target = MessagesFor::anthropic) {
    const Json body = {{"model", "claude-x"}, {"max_tokens", 5}, {"messages", messages}};
    return Json::parse(Call(body.dump()).sent(target))["messages"];
  };
  const Json question = {{"role", "user"}, {"content", "the words \"thinking\" and \"signature\":\"\""}};
  const Json unsigned_block = {{"type", "thinking"}, {"thinking", "hm"}, {"signature", ""}};
  const Json signed_block = {{"type", "thinking"}, {"thinking", "ah"}, {"signature", "s"}};
  const Json text = {{"type", "text"}, {"text", "x"}};
  const auto assistant = [](const Json& content) { return Json{{"role", "assistant"}, {"content", content}}; };
  const Json untouched = {question, assistant({signed_block, text}), question};
  CHECK(turns(untouched) == untouched);
  CHECK(turns({question, assistant({unsigned_block, text}), question}) ==
        Json{question, assistant(Json::array({text})), question});
  CHECK(turns({question, assistant({signed_block, unsigned_block}), question}) ==
        Json{question, assistant(Json::array({signed_block})), question});
  CHECK(turns({question, assistant(Json::array({unsigned_block})), question}) == Json{question, question});
}

TEST_CASE("a system turn among the others goes to Vertex as the user's, and to Anthropic as it is") {
  const Json messages = {{{"role", "user"}, {"content", "a"}}, {{"role", "system"}, {"content", "b"}}};
  const Json body = {{"model", "claude-x"}, {"max_tokens", 5}, {"messages", messages}};
  CHECK(Json::parse(Call(body.dump()).sent())["messages"] == messages);
  const Json sent = Json::parse(Call(body.dump()).sent(MessagesFor::vertex))["messages"];
  CHECK(sent == Json{{{"role", "user"}, {"content", "a"}}, {{"role", "user"}, {"content", "b"}}});
}

TEST_CASE("a stream passes byte for byte, and one that lacks its last event gets it") {
  const std::string whole = k_start + "event: ping\ndata: {\"type\": \"ping\"}\n\n" + k_stop;
  auto into = translator();
  std::string out = passed(whole, *into);
  into->finish(out);
  CHECK(out == whole);
  into = translator();
  out = passed("data: {\"type\":\"message_stop\"}\r\n\r\n", *into);
  into->finish(out);
  CHECK(out == "data: {\"type\":\"message_stop\"}\r\n\r\n");
  into = translator();
  out = passed(k_start + "data: [DONE]\n\n", *into);
  into->finish(out);
  CHECK(out == k_start + k_stop);
}

TEST_CASE("a stream that breaks ends with Anthropic's error event, in upstream's words where it has them") {
  auto into = translator();
  std::string out = passed(k_start, *into);
  into->break_off(nemo::fail(nemo::ErrorKind::upstream_error, "cut"), out);
  CHECK(out ==
        k_start +
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"cut\"}}\n\n");
  const std::string own =
      "event: error\ndata: "
      "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
  const auto complained = [](const std::string& event) {
    nemo::stream::SseScanner scanner;
    scanner.feed(event);
    const auto next = scanner.next();
    REQUIRE(next);
    std::string said;
    translator()->complain(*next, nemo::fail(nemo::ErrorKind::upstream_error, "quota"), said);
    return said;
  };
  CHECK(complained(own) == own);
  CHECK(complained("data: {\"error\":{\"code\":429,\"message\":\"quota\"}}\n\n") ==
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"quota\"}}\n\n");
}

TEST_CASE("an answer passes as it came, and its usage is Anthropic's") {
  const Call call(R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}]})");
  const auto conversation = make_messages_conversation({*call.body, call.spec}, MessagesFor::anthropic);
  const std::string answer =
      R"( {"content":[{"type":"text","text":"hi"}],"usage":{"input_tokens":1,"cache_read_input_tokens":2,"output_tokens":3}})";
  CHECK(*conversation->answer(answer) == answer);
  const auto facts = conversation->facts(answer);
  REQUIRE(facts);
  REQUIRE(facts->usage);
  CHECK(facts->usage->input_tokens == 3);
  CHECK(facts->usage->output_tokens == 3);
}

}  // namespace nemo::test::messages_surface_native_test
