// Gemini asked by an upstream that speaks it: what is changed of a request, and what is read of an answer.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/translate/gemini.h"
#include "daemon/stream/sse_scanner.h"
#include "daemon/stream/stream_tap.h"

namespace nemo::test::gemini_native_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using Json = nlohmann::json;

namespace {

const std::string k_contents = R"("contents":[ {"role":"user","parts":[{"text":"x"}]} ])";

// The request and the conversation that is held about it.
struct Held {
  explicit Held(const std::string& bytes)
      : body(std::move(RequestBody::parse(bytes).value())), spec(gemini_form().parse(body, {"m", true}).value()) {
    conversation = make_gemini_conversation(Talk{body, spec});
  }
  std::string sent(std::optional<std::int64_t> cap = {}) { return conversation->request("gemini-x", cap).value(); }

  RequestBody body;
  nemo::call::CallSpec spec;
  std::unique_ptr<Conversation> conversation;
};

std::unique_ptr<Conversation> conversation() {
  static Held held("{" + k_contents + "}");
  return make_gemini_conversation(Talk{held.body, held.spec});
}

std::string event(const std::string& json) {
  return "data: " + json + "\r\n\r\n";
}

std::string said(const std::string& parts, const std::string& more = "", const std::string& usage = "") {
  return event(R"({"candidates":[{"content":{"role":"model","parts":[)" + parts + "]}" + more + "}]" +
               (usage.empty() ? "" : ",\"usageMetadata\":" + usage) + "}");
}

const std::string k_usage =
    R"({"promptTokenCount":2152,"cachedContentTokenCount":2027,"candidatesTokenCount":710,"thoughtsTokenCount":702,"totalTokenCount":3564})";

// A tap that has looked at the whole stream.
nemo::stream::StreamTap tapped(const std::string& stream) {
  nemo::stream::StreamTap tap(conversation()->chunk_reader(), nemo::stream::UsageFrames::show);
  nemo::stream::SseScanner scanner;
  scanner.feed(stream);
  while (const auto one = scanner.next()) tap.look(*one, {});
  return tap;
}

void check_usage(const std::optional<nemo::call::Usage>& usage) {
  REQUIRE(usage.has_value());
  CHECK(usage->input_tokens == 2152);
  CHECK(usage->cached_tokens == 2027);
  CHECK(usage->output_tokens == 1412);
  CHECK(usage->reasoning_tokens == 702);
  CHECK(usage->source == nemo::call::UsageSource::provider);
}

}  // namespace

TEST_CASE("a request passes byte by byte, without what is Nemo's and without a model") {
  const std::string plain = "{ " + k_contents + R"(, "generationConfig": {"temperature":1.0} , "cachedContent":"c"})";
  CHECK(Held(plain).sent() == plain);
  const Json sent =
      Json::parse(Held("{" + k_contents +
                       R"(,"model":"models/m","nemo_lane":"completion","nemo_tags":["code"],"labels":{"a":"b"}})")
                      .sent());
  CHECK(sent.size() == 2);
  CHECK(sent.contains("contents"));
  CHECK(sent.contains("labels"));
}

TEST_CASE("a budget's cap lands where the request has its own, in its spelling, and all else stays") {
  CHECK(Json::parse(Held("{" + k_contents + "}").sent(50))["generationConfig"] == Json({{"maxOutputTokens", 50}}));
  CHECK(Json::parse(Held("{" + k_contents + R"(,"generationConfig":null})").sent(50))["generationConfig"] ==
        Json({{"maxOutputTokens", 50}}));
  const Json camel =
      Json::parse(Held("{" + k_contents + R"(,"generationConfig":{"maxOutputTokens":900,"topK":3}})").sent(50));
  CHECK(camel["generationConfig"] == Json({{"maxOutputTokens", 50}, {"topK", 3}}));
  const Json snake =
      Json::parse(Held("{" + k_contents + R"(,"generation_config":{"max_output_tokens":900,"topK":3}})").sent(50));
  CHECK(snake["generation_config"] == Json({{"max_output_tokens", 50}, {"topK", 3}}));
  CHECK(!snake.contains("generationConfig"));
}

TEST_CASE("thoughts are billed as output beside the candidates, and cached tokens are part of the prompt") {
  const std::string answer = R"({"candidates":[{"content":{"parts":[{"text":"hm","thought":true},)"
                             R"({"text":"hello"},{"text":" you"}]},"finishReason":"STOP"}],"usageMetadata":)" +
                             std::string(k_usage) + "}";
  const auto facts = conversation()->facts(answer);
  REQUIRE(facts.has_value());
  CHECK(!facts->is_error);
  CHECK(facts->text == "hello");
  CHECK(facts->content_bytes == 11);
  check_usage(facts->usage);
}

TEST_CASE("counts that are left out are nothing, and the total fills in for them") {
  const auto usage = [](const std::string& metadata) {
    return conversation()->facts(R"({"candidates":[],"usageMetadata":)" + metadata + "}")->usage;
  };
  CHECK(!usage(R"({"trafficType":"ON_DEMAND"})").has_value());
  CHECK(usage(R"({"promptTokenCount":5,"totalTokenCount":5})")->output_tokens == 0);
  CHECK(usage(R"({"promptTokenCount":5,"totalTokenCount":23})")->output_tokens == 18);
  const auto without_prompt = usage(R"({"candidatesTokenCount":3,"thoughtsTokenCount":4,"totalTokenCount":20})");
  CHECK(without_prompt->input_tokens == 13);
  CHECK(without_prompt->output_tokens == 7);
  const auto with_tools =
      usage(R"({"promptTokenCount":5,"toolUsePromptTokenCount":100,"candidatesTokenCount":3,"totalTokenCount":108})");
  CHECK(with_tools->input_tokens == 105);
  CHECK(with_tools->output_tokens == 3);
  CHECK(usage(R"({"promptTokenCount":-5,"candidatesTokenCount":"x","totalTokenCount":9})")->input_tokens == 9);
}

TEST_CASE("a stream is content, then its finish with the usage that counts") {
  const std::string start = R"({"promptTokenCount":2152,"totalTokenCount":2152})";
  const auto tap = tapped(said(R"({"text":"hm","thought":true})", "", start) + said(R"({"text":"hello"})", "", start) +
                          said(R"({"functionCall":{"name":"f","args":{}}})", "", start) +
                          said(R"({"text":""})", R"(,"finishReason":"STOP","index":0)", k_usage));
  CHECK(tap.saw_content());
  CHECK(tap.finished());
  CHECK(!tap.saw_error());
  CHECK(!tap.saw_malformed());
  CHECK(tap.content_events() == 3);
  check_usage(tap.usage());

  const auto cut = tapped(said(R"({"text":"hello"})", "", start));
  CHECK(!cut.finished());
  CHECK(cut.usage()->output_tokens == 0);
}

TEST_CASE("the prompt's count alone at a stream's beginning is not the last word") {
  nemo::stream::StreamTap tap(conversation()->chunk_reader(), nemo::stream::UsageFrames::show);
  nemo::stream::SseScanner scanner;
  scanner.feed(event(R"({"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5}})") +
               said(R"({"text":"a"})", R"(,"finishReason":"MAX_TOKENS")", k_usage));
  const auto first = tap.look(*scanner.next(), {});
  CHECK(first.has_usage);
  CHECK(!first.usage_is_final);
  CHECK(!first.commits);
  const auto last = tap.look(*scanner.next(), {});
  CHECK(last.usage_is_final);
  CHECK(last.text == "a");
}

TEST_CASE("several candidates are finished when each is") {
  const auto both = [](const std::string& second) {
    return event(R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"},{"index":1)" + second +
                 "}]}");
  };
  CHECK(!tapped(both("")).finished());
  CHECK(tapped(both(R"(,"finishReason":"SAFETY")")).finished());
}

TEST_CASE("a prompt that Google blocks is an answer, and costs what it says") {
  const std::string blocked =
      R"({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9}})";
  const auto tap = tapped(event(blocked));
  CHECK(tap.finished());
  CHECK(!tap.saw_error());
  CHECK(tap.usage()->input_tokens == 9);
  CHECK(!conversation()->facts(blocked)->is_error);
}

TEST_CASE("Google's errors are errors, alone or in a list, whole or inside a stream") {
  const std::string error = R"({"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}})";
  for (const std::string& json : {error, "[" + error + "]"}) {
    CAPTURE(json);
    CHECK(conversation()->facts(json)->is_error);
    const auto tap = tapped(said(R"({"text":"a"})") + event(json));
    CHECK(tap.saw_error());
    CHECK(tap.error_message() == "overloaded");
  }
  CHECK(tapped("data: {half\n\n").saw_malformed());
  CHECK(tapped("data: [1]\n\n").saw_malformed());
  CHECK(!conversation()->facts("<html>").has_value());
}

TEST_CASE("a stream passes byte by byte, and its error comes as Google's clients know it") {
  const std::string stream = said(R"({"text":"a"})") + said(R"({"text":""})", R"(,"finishReason":"STOP")", k_usage);
  const auto pass = conversation()->stream_translator();
  nemo::stream::SseScanner scanner;
  scanner.feed(stream);
  std::string out;
  while (const auto one = scanner.next()) pass->translate(*one, out);
  pass->finish(out);
  CHECK(out == stream);

  const nemo::Error error = nemo::fail(ErrorKind::upstream_error, "overloaded");
  for (const std::string json :
       {R"({"error":{"code":503,"message":"overloaded"}})", R"([{"error":{"message":"overloaded"}}])"}) {
    nemo::stream::SseScanner one_event;
    one_event.feed(event(json));
    std::string told;
    conversation()->stream_translator()->complain(*one_event.next(), error, told);
    nemo::stream::SseScanner again;
    again.feed(told);
    const auto heard = again.next();
    REQUIRE(heard.has_value());
    CHECK(Json::parse(heard->data)["error"]["message"] == "overloaded");
  }
}

}  // namespace nemo::test::gemini_native_test
