// A chat's answer, whole and in chunks, as Gemini's clients read it; and errors in Google's shape.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/protocol/openai.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/surfaces/gemini_errors.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::test::gemini_answer_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using Json = nlohmann::json;

namespace {

enum class Include : std::uint8_t { thoughts, answers_only };

std::string request(Include include) {
  return R"({"contents":{"parts":{"text":"x"}},"generationConfig":{"thinkingConfig":{"includeThoughts":)" +
         std::string(include == Include::thoughts ? "true" : "false") + "}}}";
}

// What `use` makes of the request's Telling.
template <typename Use>
auto telling(Include include, Use&& use) {
  const auto body = RequestBody::parse(request(include));
  REQUIRE(body.ok());
  const auto spec = gemini_form().parse(*body, {"m", true});
  REQUIRE(spec.ok());
  return use(Telling{*body, *spec, {}, "gemini-x"});
}

Json answer(const std::string& chat, Include include = Include::thoughts) {
  const auto made = telling(include, [&](const Telling& t) { return gemini_form().hub->answer(chat, t); });
  REQUIRE(made.ok());
  return Json::parse(*made);
}

std::string data(const std::string& json) {
  return "data: " + json + "\n\n";
}

std::string chunk(const std::string& delta, const std::string& reason = "null", int index = 0) {
  return data(R"({"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":)" + std::to_string(index) +
              R"(,"delta":{)" + delta + R"(},"finish_reason":)" + reason + "}]}");
}

const std::string k_usage = data(
    R"({"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":9,"total_tokens":19,
    "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}})");
const std::string k_done = "data: [DONE]\n\n";

std::string on_one_line(std::string text) {
  for (std::size_t at = 0; (at = text.find("\n    ", at)) != std::string::npos;) text.replace(at, 5, "");
  return text;
}

std::string translated(const std::string& stream, Include include = Include::thoughts) {
  const auto translator = telling(include, [](const Telling& t) { return gemini_form().hub->translator(t); });
  nemo::stream::SseScanner scanner;
  scanner.feed(on_one_line(stream));
  std::string out;
  while (const auto event = scanner.next()) translator->translate(*event, out);
  translator->finish(out);
  return out;
}

std::vector<Json> events(const std::string& stream) {
  nemo::stream::SseScanner scanner;
  scanner.feed(stream);
  std::vector<Json> list;
  while (const auto event = scanner.next()) {
    CAPTURE(event->raw);
    CHECK(event->raw.starts_with("data: {"));
    CHECK(event->raw.ends_with("}\n\n"));
    list.push_back(Json::parse(event->data));
  }
  return list;
}

std::string text_of(const std::vector<Json>& list, bool thoughts = false) {
  std::string text;
  for (const Json& event : list) {
    for (const Json& part : event["candidates"][0]["content"]["parts"]) {
      if (part.contains("text") && part.value("thought", false) == thoughts) text += part["text"].get<std::string>();
    }
  }
  return text;
}

std::string reason_for(const std::string& openai) {
  const Json made =
      answer(R"({"id":"x","choices":[{"index":0,"message":{"content":"a"},"finish_reason":)" + openai + "}]}");
  return made["candidates"][0]["finishReason"];
}

}  // namespace

TEST_CASE("a whole answer has its thoughts, text and calls as parts, and usage that adds up") {
  const Json made =
      answer(on_one_line(R"({"id":"chatcmpl-7","object":"chat.completion","choices":[{"index":0,"message":{
    "role":"assistant","content":"say \"hi\"","reasoning_content":"hm","tool_calls":[
    {"id":"call_1","type":"function","function":{"name":"look","arguments":"{\"at\": \"a\\nb\"}"},
    "extra_content":{"google":{"thought_signature":"c2ln"}}},
    {"id":"call_2","type":"function","function":{"name":"count","arguments":""}}]},"finish_reason":"tool_calls"}],
    "usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":19,"completion_tokens_details":{"reasoning_tokens":7}}})"));
  const Json parts = made["candidates"][0]["content"]["parts"];
  CHECK(made["candidates"][0]["content"]["role"] == "model");
  CHECK(made["candidates"][0]["finishReason"] == "STOP");
  CHECK(made["candidates"][0]["index"] == 0);
  REQUIRE(parts.size() == 4);
  CHECK(parts[0] == Json({{"text", "hm"}, {"thought", true}}));
  CHECK(parts[1] == Json({{"text", "say \"hi\""}}));
  CHECK(parts[2] == Json({{"functionCall", {{"id", "call_1"}, {"name", "look"}, {"args", {{"at", "a\nb"}}}}},
                          {"thoughtSignature", "c2ln"}}));
  CHECK(parts[3]["functionCall"]["args"] == Json::object());
  CHECK(
      made["usageMetadata"] ==
      Json(
          {{"promptTokenCount", 10}, {"candidatesTokenCount", 2}, {"thoughtsTokenCount", 7}, {"totalTokenCount", 19}}));
  CHECK(made["modelVersion"] == "gemini-x");
  CHECK(made["responseId"] == "chatcmpl-7");
}

TEST_CASE("finish reasons are Google's words, and arguments that are no object are a malformed call") {
  CHECK(reason_for("\"stop\"") == "STOP");
  CHECK(reason_for("\"length\"") == "MAX_TOKENS");
  CHECK(reason_for("\"content_filter\"") == "SAFETY");
  CHECK(reason_for("null") == "STOP");
  const Json made =
      answer(R"({"choices":[{"index":0,"message":{"content":null,"tool_calls":[)"
             R"({"id":"c","function":{"name":"f","arguments":"{\"a\":"}}]},"finish_reason":"tool_calls"}]})");
  CHECK(made["candidates"][0]["finishReason"] == "MALFORMED_FUNCTION_CALL");
  CHECK(made["candidates"][0]["content"]["parts"] == Json({{{"text", ""}}}));
  CHECK(!made.contains("usageMetadata"));
}

TEST_CASE("thoughts are shown to those who asked for them only, as Google does") {
  const std::string chat = R"({"choices":[{"message":{"content":"a","reasoning":"hm"},"finish_reason":"stop"}]})";
  CHECK(answer(chat, Include::answers_only)["candidates"][0]["content"]["parts"] == Json({{{"text", "a"}}}));
  const std::string stream = chunk(R"("reasoning_content":"hm")") + chunk(R"("content":"a")", "\"stop\"") + k_done;
  CHECK(text_of(events(translated(stream, Include::answers_only)), true).empty());
  CHECK(text_of(events(translated(stream)), true) == "hm");
}

TEST_CASE("what is no chat completion is upstream's error") {
  const auto made =
      telling(Include::thoughts, [](const Telling& t) { return gemini_form().hub->answer(R"({"a":1})", t); });
  REQUIRE(!made.ok());
  CHECK(made.error().kind == ErrorKind::upstream_error);
}

TEST_CASE("a stream is text as it comes, and one last event with the reason and the usage; nothing else goes out") {
  const std::string out =
      translated(": ping\n\n" + chunk(R"("role":"assistant","content":"")") + chunk(R"("reasoning_content":"hm")") +
                 chunk(R"("content":"Stra\u00dfe ")") + chunk(R"("content":"\ud83d")") +
                 chunk(R"("content":"\ude00")") + chunk("", "\"stop\"") + k_usage + k_done);
  CHECK(out.find("DONE") == std::string::npos);
  CHECK(out.find("ping") == std::string::npos);
  // Half a character an event: as upstream cut it.
  CHECK(out.find(R"({"text":"\ud83d"})") != std::string::npos);
  const std::size_t last_at = out.rfind("data: ");
  const Json last = Json::parse(out.substr(last_at + 6));
  CHECK(out.find("finishReason") > last_at);
  CHECK(last["candidates"][0]["finishReason"] == "STOP");
  CHECK(last["usageMetadata"] == Json({{"promptTokenCount", 10},
                                       {"candidatesTokenCount", 7},
                                       {"cachedContentTokenCount", 4},
                                       {"thoughtsTokenCount", 2},
                                       {"totalTokenCount", 19}}));
  CHECK(last["responseId"] == "chatcmpl-1");
  CHECK(last["modelVersion"] == "gemini-x");
}

TEST_CASE("calls are told whole however their arguments come, also by servers that give all the same index") {
  const auto calls_of = [](const std::string& stream) {
    Json calls = Json::array();
    const auto list = events(translated(stream));
    for (const Json& part : list.back()["candidates"][0]["content"]["parts"]) {
      if (part.contains("functionCall")) calls.push_back(part["functionCall"]);
    }
    return calls;
  };
  const Json wanted = {{{"id", "a"}, {"name", "f"}, {"args", {{"x", "1\"2"}}}},
                       {{"id", "b"}, {"name", "g"}, {"args", {{"y", Json::array({1, 2})}}}}};
  const std::string streamed =
      chunk(R"("tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}])") +
      chunk(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"x\":\"1\\"}}])") +
      chunk(R"("tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{\"y\": [1,"}}])") +
      chunk(
          R"("tool_calls":[{"index":0,"function":{"arguments":"\"2\"}"}},{"index":1,"function":{"arguments":"\n2]}"}}])") +
      chunk("", "\"tool_calls\"") + k_usage + k_done;
  CHECK(calls_of(streamed) == wanted);
  const std::string same_index =
      chunk(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":\"1\\\"2\"}"}}])") +
      chunk(R"("tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"{\"y\":[1,2]}"}}])") +
      chunk("", "\"stop\"") + k_done;
  CHECK(calls_of(same_index) == wanted);
  const std::string cut = chunk(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x"}}])") +
                          chunk("", "\"length\"") + k_done;
  CHECK(calls_of(cut).empty());
  CHECK(events(translated(cut)).back()["candidates"][0]["finishReason"] == "MAX_TOKENS");
}

TEST_CASE("several candidates keep their numbers, and all end in the last event") {
  const auto list = events(translated(chunk(R"("content":"a")", "null", 0) + chunk(R"("content":"b")", "null", 1) +
                                      chunk("", "\"stop\"", 1) + chunk("", "\"length\"", 0) + k_usage + k_done));
  REQUIRE(list.size() == 3);
  CHECK(list[1]["candidates"][0]["index"] == 1);
  REQUIRE(list[2]["candidates"].size() == 2);
  CHECK(list[2]["candidates"][0]["finishReason"] == "MAX_TOKENS");
  CHECK(list[2]["candidates"][1]["finishReason"] == "STOP");
}

TEST_CASE("an error ends a stream in Google's shape, and nothing comes after it") {
  const auto list = events(translated(chunk(R"("content":"a")") + data(R"({"error":{"message":"it broke"}})") +
                                      chunk(R"("content":"b")") + k_done));
  REQUIRE(list.size() == 2);
  CHECK(list[1]["error"]["message"] == "it broke");
  CHECK(list[1]["error"]["code"] == 502);
  CHECK(list[1]["error"]["status"] == "UNAVAILABLE");
  CHECK(events(translated(chunk(R"("content":"a")") + "data: {half\n\n")).back().contains("error"));
}

TEST_CASE("calls that never end are given up before they fill the memory") {
  const std::string piece(std::size_t{1} << 20U, 'x');
  std::string stream = chunk(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":\""}}])");
  for (int i = 0; i < 17; ++i)
    stream += chunk(R"("tool_calls":[{"index":0,"function":{"arguments":")" + piece + "\"}}]");
  const auto list = events(translated(stream + chunk("", "\"tool_calls\"") + k_done));
  REQUIRE(list.size() == 1);
  CHECK(list[0]["error"]["message"].get<std::string>().find("too large") != std::string::npos);
}

TEST_CASE("errors have Google's status by HTTP status, the daemon's code as reason, the field and the delay") {
  struct Row {
    ErrorKind kind;
    int code;
    const char* status;
    const char* reason;
  };
  const Row rows[] = {{ErrorKind::invalid_request, 400, "INVALID_ARGUMENT", "INVALID_REQUEST"},
                      {ErrorKind::invalid_api_key, 401, "UNAUTHENTICATED", "INVALID_API_KEY"},
                      {ErrorKind::budget_exceeded, 402, "FAILED_PRECONDITION", "BUDGET_EXCEEDED"},
                      {ErrorKind::model_not_allowed, 403, "PERMISSION_DENIED", "MODEL_NOT_ALLOWED"},
                      {ErrorKind::model_not_found, 404, "NOT_FOUND", "MODEL_NOT_FOUND"},
                      {ErrorKind::rate_limit_exceeded, 429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"},
                      {ErrorKind::upstream_error, 502, "UNAVAILABLE", "UPSTREAM_ERROR"},
                      {ErrorKind::upstream_timeout, 504, "DEADLINE_EXCEEDED", "UPSTREAM_TIMEOUT"}};
  for (const Row& row : rows) {
    const Json error = Json::parse(gemini_error_body(nemo::fail(row.kind, "why \"so\"")))["error"];
    INFO(row.status);
    CHECK(error["code"] == row.code);
    CHECK(error["status"] == row.status);
    CHECK(error["message"] == "why \"so\"");
    CHECK(error["details"][0]["reason"] == row.reason);
  }
  nemo::Error error = nemo::fail(ErrorKind::invalid_request, "no", "contents[0]");
  error.retry_after_s = 12;
  const Json details = Json::parse(gemini_error_body(error))["error"]["details"];
  REQUIRE(details.size() == 3);
  CHECK(details[1]["fieldViolations"][0]["field"] == "contents[0]");
  CHECK(details[2]["retryDelay"] == "12s");
}

TEST_CASE("upstream's own refusal keeps its words, and its status name where it is Google's") {
  nemo::Error error = nemo::fail(ErrorKind::upstream_rejected, "x");
  error.http_status = 400;
  error.upstream_body = R"({"error":{"message":"bad thing","type":"FAILED_PRECONDITION","param":null,"code":"400"}})";
  Json told = Json::parse(gemini_error_body(error))["error"];
  CHECK(told == Json({{"code", 400}, {"message", "bad thing"}, {"status", "FAILED_PRECONDITION"}}));
  error.upstream_body = R"({"error":{"message":"bad thing","type":"invalid_request_error"}})";
  told = Json::parse(gemini_error_body(error))["error"];
  CHECK(told["status"] == "INVALID_ARGUMENT");
}

}  // namespace nemo::test::gemini_answer_test
