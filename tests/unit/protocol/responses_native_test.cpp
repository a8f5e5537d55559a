// An upstream that has Responses itself: bytes pass, and what is billed is read on the way.
#include <algorithm>

#include "daemon/protocol/conversation.h"
#include "daemon/stream/stream_tap.h"
#include "responses_told.h"

namespace nemo::test::responses_native_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using nemo::stream::ChunkFacts;

namespace {

struct Native {
  RequestBody body;
  nemo::call::CallSpec spec;
  std::unique_ptr<Conversation> conversation;

  explicit Native(const std::string& bytes, Extensions extensions = Extensions::strip)
      : body(RequestBody::parse(bytes).value()),
        spec(form_of(nemo::call::Surface::openai_responses).parse(body, {}).value()),
        conversation(make_conversation(Dialect::responses,
                                       Talk{body, spec, extensions, Completions::native, 0, {}, "catalog-model"})
                         .value()) {}
};

std::string event(const Json& data) {
  return "event: " + data["type"].get<std::string>() + "\ndata: " + data.dump() + "\n\n";
}
Json delta(const std::string& type, const std::string& text) {
  return {{"type", type}, {"item_id", "i"}, {"output_index", 0}, {"delta", text}};
}
const Json k_usage{{"input_tokens", 30},
                   {"input_tokens_details", {{"cached_tokens", 20}}},
                   {"output_tokens", 12},
                   {"output_tokens_details", {{"reasoning_tokens", 7}}},
                   {"total_tokens", 42}};
Json ended(const std::string& type, const Json& more = Json::object()) {
  Json response{{"id", "resp_1"}, {"object", "response"}, {"model", "gpt"}, {"usage", k_usage}};
  response.update(more);
  return {{"type", type}, {"response", response}};
}

ChunkFacts facts_of(const std::string& bytes, bool malformed_expected = false) {
  const Native native(R"({"input":"x","stream":true})");
  nemo::stream::SseScanner scanner;
  scanner.feed(bytes);
  const auto next = scanner.next();
  REQUIRE(next.has_value());
  bool malformed = false;
  ChunkFacts facts = native.conversation->chunk_reader()->read(*next, malformed);
  CHECK(malformed == malformed_expected);
  facts.text = {};
  return facts;
}

void check_usage(const std::optional<nemo::call::Usage>& usage) {
  REQUIRE(usage.has_value());
  CHECK(usage->input_tokens == 30);
  CHECK(usage->cached_tokens == 20);
  CHECK(usage->output_tokens == 12);
  CHECK(usage->reasoning_tokens == 7);
  CHECK(usage->source == nemo::call::UsageSource::provider);
}

}  // namespace

TEST_CASE("of a request for Responses only the model changes, and what is the daemon's own goes") {
  const std::string plain = R"({ "model" : "m","input":[ {"role":"user","content":"\u00e9 é"} ], "x":1.0e+0 })";
  Native same(plain);
  CHECK(*same.conversation->request("m", {}) == plain);
  CHECK(*same.conversation->request("other", {}) ==
        R"({ "model" : "other","input":[ {"role":"user","content":"\u00e9 é"} ], "x":1.0e+0 })");

  const std::string extended =
      R"({"model":"m","nemo_tags":["a"],"input":"x","stream":true,"nemo_lane":"reasoning","nemo_cache":true,"nemo_fallbacks":[]})";
  Native stripped(extended);
  CHECK(*stripped.conversation->request("m", {}) == R"({"model":"m","input":"x","stream":true})");
  Native kept(extended, Extensions::keep);
  CHECK(*kept.conversation->request("m", {}) == extended);
}

TEST_CASE("a budget's cap is an upper bound of the output, given or not") {
  Native bare(R"({"model":"m","input":"x"})");
  CHECK(*bare.conversation->request("m", 50) == R"({"model":"m","input":"x","max_output_tokens":50})");
  Native given(R"({"model":"m","max_output_tokens":900,"input":"x"})");
  CHECK(*given.conversation->request("m", 50) == R"({"model":"m","max_output_tokens":50,"input":"x"})");
}

TEST_CASE("every kind of delta is content, and of texts it is known what the user reads") {
  for (const char* type : {"response.output_text.delta", "response.refusal.delta", "response.reasoning_text.delta",
                           "response.reasoning_summary_text.delta", "response.function_call_arguments.delta",
                           "response.custom_tool_call_input.delta"}) {
    CAPTURE(type);
    const ChunkFacts facts = facts_of(event(delta(type, "four")));
    CHECK(facts.has_content);
    CHECK(facts.content_bytes == 4);
    CHECK(facts.finished == 0);
    CHECK_FALSE(facts.end_marker);
  }
  CHECK_FALSE(facts_of(event(delta("response.output_text.delta", ""))).has_content);
  const Json call{{"type", "response.output_item.added"}, {"item", {{"type", "function_call"}, {"name", "shell"}}}};
  CHECK(facts_of(event(call)).content_bytes == 5);
  const Json message{{"type", "response.output_item.added"},
                     {"item", {{"type", "message"}, {"content", Json::array()}}}};
  CHECK_FALSE(facts_of(event(message)).has_content);
  CHECK_FALSE(facts_of(event(ended("response.created", {{"usage", nullptr}}))).has_content);
}

TEST_CASE("response.completed and response.incomplete finish the answer, end the stream and state usage") {
  for (const char* type : {"response.completed", "response.incomplete"}) {
    const ChunkFacts facts = facts_of(event(ended(type)));
    CHECK(facts.finished == 1);
    CHECK(facts.end_marker);
    CHECK_FALSE(facts.is_error);
    check_usage(facts.usage);
  }
}

TEST_CASE("errors are told in every shape, and garbage is told apart") {
  const ChunkFacts failed =
      facts_of(event(ended("response.failed", {{"error", {{"code", "c"}, {"message", "it broke"}}}})));
  CHECK(failed.is_error);
  CHECK(failed.error_message == "it broke");
  CHECK(failed.end_marker);
  const ChunkFacts bare = facts_of(event({{"type", "error"}, {"code", "c"}, {"message", "no more"}}));
  CHECK(bare.is_error);
  CHECK(bare.error_message == "no more");
  CHECK(facts_of("data: {\"error\":{\"message\":\"chat's\"}}\n\n").error_message == "chat's");
  facts_of("data: {\"type\":\"response.c\n\n", true);
  facts_of("data: [1]\n\n", true);
}

TEST_CASE("a stream passes byte for byte") {
  Native native(R"({"model":"m","input":"x","stream":true})");
  const std::string stream = ": note\r\n\r\n" + event(ended("response.created")) +
                             event(delta("response.output_text.delta", "a")) + event(ended("response.completed"));
  nemo::stream::SseScanner scanner;
  scanner.feed(stream);
  const auto translator = native.conversation->stream_translator();
  std::string out;
  while (const auto next = scanner.next()) translator->translate(*next, out);
  translator->finish(out);
  CHECK(out == stream);
}

TEST_CASE("nothing passes behind the last event, for clients hang up at it") {
  const std::string begun = event(ended("response.created"));
  const std::string named = event(ended("response.completed"));
  for (const std::string& last : {named, named.substr(named.find("data: "))}) {
    Native native(R"({"model":"m","input":"x","stream":true})");
    nemo::stream::SseScanner scanner;
    scanner.feed(begun + last + "data: [DONE]\n\n");
    const auto translator = native.conversation->stream_translator();
    std::string out;
    while (const auto next = scanner.next()) translator->translate(*next, out);
    translator->finish(out);
    CHECK(out == begun + last);
  }
}

TEST_CASE("a native stream that breaks ends with a response.failed that fits it") {
  Native native(R"({"model":"m","input":"x","stream":true})");
  const std::string begun = event(ended("response.created")) + event(delta("response.output_text.delta", "a"));
  nemo::stream::SseScanner scanner;
  scanner.feed(begun);
  const auto translator = native.conversation->stream_translator();
  std::string out;
  while (const auto next = scanner.next()) translator->translate(*next, out);
  translator->break_off(nemo::fail(ErrorKind::budget_exceeded, "Budget has been exceeded!"), out);
  REQUIRE(out.starts_with(begun));
  const std::string last = out.substr(begun.size());
  REQUIRE(last.starts_with("event: response.failed\ndata: {"));
  REQUIRE(last.ends_with("}\n\n"));
  const Json failed = Json::parse(last.substr(last.find("data: ") + 6));
  CHECK(failed["type"] == "response.failed");
  CHECK(failed["sequence_number"] == 2);
  CHECK(failed["response"]["id"] == "resp_1");
  CHECK(failed["response"]["model"] == "gpt");
  CHECK(failed["response"]["status"] == "failed");
  CHECK(failed["response"]["error"]["code"] == "insufficient_quota");
}

TEST_CASE("a whole response passes as it is, and says what it cost and held") {
  const Native native(R"({"model":"m","input":"x"})");
  const Json message{{"type", "message"}, {"content", {{{"type", "output_text"}, {"text", "hello"}}}}};
  const Json call{{"type", "function_call"}, {"name", "f"}, {"arguments", "{}"}, {"call_id", "c"}};
  const std::string text = Json{
      {"object", "response"},
      {"status", "completed"},
      {"error", nullptr},
      {"output", {message, call}},
      {"usage", k_usage}}.dump(2);
  CHECK(*native.conversation->answer(text) == text);
  const auto facts = native.conversation->facts(text);
  REQUIRE(facts.has_value());
  CHECK_FALSE(facts->is_error);
  CHECK(facts->content_bytes == 5 + 1 + 2);
  CHECK(facts->text == "hello");
  check_usage(facts->usage);
}

TEST_CASE("a whole response that failed is an error, however it was sent") {
  const Native native(R"({"model":"m","input":"x"})");
  const auto is_error = [&](const Json& answer) {
    const auto facts = native.conversation->facts(answer.dump());
    REQUIRE(facts.has_value());
    return facts->is_error;
  };
  CHECK(is_error({{"status", "failed"}, {"error", {{"code", "c"}}}, {"output", Json::array()}}));
  CHECK(is_error({{"error", {{"message", "m"}}}}));
  CHECK_FALSE(is_error({{"status", "incomplete"}, {"error", nullptr}, {"output", Json::array()}}));
  CHECK_FALSE(native.conversation->facts("[]").has_value());
  CHECK_FALSE(native.conversation->facts("{\"output\":").has_value());
}

}  // namespace nemo::test::responses_native_test
