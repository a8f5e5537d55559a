#include "daemon/protocol/translate/completions_to_chat.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/fim/hole.h"
#include "daemon/protocol/openai.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::test::completions_to_chat_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using Json = nlohmann::json;

namespace {

nemo::Result<std::string> translate(const std::string& bytes) {
  auto body = RequestBody::parse(bytes);
  REQUIRE(body.ok());
  auto spec = parse_completions(*body);
  CAPTURE(bytes);
  REQUIRE(spec.ok());
  const auto hole = find_hole(*body);
  if (!hole) return hole.error();
  return completions_request_to_chat(*body, *spec, *hole ? &**hole : nullptr, "up/model");
}

Json chat_of(const std::string& bytes) {
  const auto chat = translate(bytes);
  REQUIRE(chat.ok());
  CAPTURE(*chat);
  REQUIRE(Json::accept(*chat));
  return Json::parse(*chat);
}

std::string refused_field(const std::string& bytes) {
  const auto chat = translate(bytes);
  CAPTURE(bytes);
  REQUIRE_FALSE(chat.ok());
  CHECK(chat.error().kind == ErrorKind::invalid_request);
  CHECK(chat.error().message.find(chat.error().param) != std::string::npos);
  return chat.error().param;
}

using Cleaned = std::shared_ptr<const Cleaning>;

// As after a hole with nothing around it.
const Cleaned k_unfenced = clean_hole({}, {});

Json answer_of(const std::string& bytes, const Cleaned& cleaning = nullptr) {
  const auto answer = chat_answer_to_completions(bytes, cleaning);
  REQUIRE(answer.ok());
  CAPTURE(*answer);
  REQUIRE(Json::accept(*answer));
  return Json::parse(*answer);
}

std::string streamed(const std::string& stream, const Cleaned& cleaning = nullptr) {
  nemo::stream::SseScanner scanner;
  scanner.feed(stream);
  const auto translator = make_chat_to_completions_translator(cleaning);
  std::string out;
  while (const auto event = scanner.next()) translator->translate(*event, out);
  while (const auto event = scanner.finish()) translator->translate(*event, out);
  translator->finish(out);
  // The end that finish() adds where upstream gave none has a test of its own.
  constexpr std::string_view k_end = "data: [DONE]\n\n";
  if (stream.find("[DONE]") == std::string::npos && out.ends_with(k_end)) out.resize(out.size() - k_end.size());
  return out;
}

std::string chunk(const std::string& delta, const std::string& reason = "null") {
  return R"(data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":)" +
         delta + ",\"finish_reason\":" + reason + "}]}\n\n";
}

std::string legacy(const std::string& text, const std::string& reason = "null") {
  return R"(data: {"id":"c1","object":"text_completion","created":7,"model":"m","choices":[{"index":0,"text":")" +
         text + R"(","logprobs":null,"finish_reason":)" + reason + "}]}\n\n";
}

// The text that a client puts together from a translated stream.
std::string text_of(const std::string& stream) {
  nemo::stream::SseScanner scanner;
  scanner.feed(stream);
  std::string text;
  while (const auto event = scanner.next()) {
    if (event->data.empty() || event->data == "[DONE]") continue;
    const Json chunk_json = Json::parse(event->data);
    for (const Json& choice : chunk_json["choices"]) text += choice["text"].get<std::string>();
  }
  return text;
}

}  // namespace

TEST_CASE("a prompt becomes the user's message, byte for byte") {
  const Json chat = chat_of(R"({"model":"alias","prompt":"def f(\u00e9):\n\t\"x\""})");
  CHECK(chat["model"] == "up/model");
  CHECK(chat["messages"] == Json::parse(R"([{"role":"user","content":"def f(\u00e9):\n\t\"x\""}])"));
  CHECK(chat_of(R"({"prompt":["only one"]})")["messages"][0]["content"] == "only one");
}

TEST_CASE("the format of the answer goes along, with a suffix and without") {
  const std::string format = R"({"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}})";
  for (const char* suffix : {"", R"(,"suffix":"b")"}) {
    const Json chat = chat_of(R"({"prompt":"a","response_format":)" + format + suffix + "}");
    CHECK(chat["response_format"] == Json::parse(format));
  }
  CHECK_FALSE(chat_of(R"({"prompt":"a","response_format":null})").contains("response_format"));
}

TEST_CASE("a suffix asks for what belongs between, with both sides marked") {
  const Json chat = chat_of(R"({"prompt":"int a = ","suffix":";\nint b;"})");
  REQUIRE(chat["messages"].size() == 2);
  CHECK(chat["messages"][0]["role"] == "system");
  CHECK(chat["messages"][1]["content"] == "<prefix>int a = </prefix>\n<suffix>;\nint b;</suffix>");
}

TEST_CASE("a suffix that is null is no suffix") {
  CHECK(chat_of(R"({"prompt":"a","suffix":null})")["messages"].size() == 1);
}

TEST_CASE("what both surfaces share is carried over, what only one knows is left out") {
  const Json chat = chat_of(R"({"prompt":"a","temperature":0.1,"top_p":0.9,"max_tokens":64,"n":2,"seed":3,"user":"u",
    "presence_penalty":0.5,"frequency_penalty":0.25,"logit_bias":{"50256":-100},"metadata":{"k":"v"},"stream":false,
    "echo":false,"best_of":2,"logprobs":null,"top_k":4,"nemo_tags":["x"]})");
  CHECK(chat["temperature"] == 0.1);
  CHECK(chat["top_p"] == 0.9);
  CHECK(chat["max_tokens"] == 64);
  CHECK(chat["n"] == 2);
  CHECK(chat["seed"] == 3);
  CHECK(chat["user"] == "u");
  CHECK(chat["presence_penalty"] == 0.5);
  CHECK(chat["frequency_penalty"] == 0.25);
  CHECK(chat["logit_bias"]["50256"] == -100);
  CHECK(chat["metadata"]["k"] == "v");
  CHECK(chat["stream"] == false);
  for (const char* key : {"echo", "best_of", "logprobs", "top_k", "nemo_tags", "prompt", "suffix", "stream_options"}) {
    CHECK_FALSE(chat.contains(key));
  }
}

TEST_CASE("of many stop texts the first four go upstream") {
  CHECK(chat_of(R"({"prompt":"a","stop":["1","2","3","4","5","6","7"]})")["stop"] ==
        Json::parse(R"(["1","2","3","4"])"));
  CHECK(chat_of(R"({"prompt":"a","stop":"x"})")["stop"] == "x");
  CHECK(chat_of(R"({"prompt":"a","stop":["x","y"]})")["stop"].size() == 2);
  CHECK_FALSE(chat_of(R"({"prompt":"a","stop":[]})").contains("stop"));
  CHECK_FALSE(chat_of(R"({"prompt":"a","stop":null})").contains("stop"));
}

TEST_CASE("a stream asks for usage whatever the caller said") {
  CHECK(chat_of(R"({"prompt":"a","stream":true})")["stream_options"]["include_usage"] == true);
  const Json chat = chat_of(R"({"prompt":"a","stream":true,"stream_options":{"include_usage":false,"x":1}})");
  CHECK(chat["stream_options"] == Json::parse(R"({"include_usage":true,"x":1})"));
}

TEST_CASE("what chat cannot do is refused and named") {
  CHECK(refused_field(R"({"prompt":["a","b"]})") == "prompt");
  CHECK(refused_field(R"({"prompt":[1,2,3]})") == "prompt");
  CHECK(refused_field(R"({"prompt":[[1],[2]]})") == "prompt");
  CHECK(refused_field(R"({"prompt":"a","echo":true})") == "echo");
  CHECK(refused_field(R"({"prompt":"a","best_of":3})") == "best_of");
  CHECK(refused_field(R"({"prompt":"a","n":2,"best_of":3})") == "best_of");
  CHECK(refused_field(R"({"prompt":"a","logprobs":21})") == "logprobs");
}

TEST_CASE("a chat answer becomes a text completion with usage") {
  const Json answer = answer_of(R"({"id":"c1","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,
    "message":{"role":"assistant","content":"a\n\"b\""},"logprobs":null,"finish_reason":"length"}],
    "usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})");
  CHECK(answer == Json::parse(R"({"id":"c1","object":"text_completion","created":7,"model":"m","choices":[{"index":0,
    "text":"a\n\"b\"","logprobs":null,"finish_reason":"length"}],
    "usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})"));
}

TEST_CASE("usage is there even when upstream stated none") {
  const Json answer = answer_of(R"({"choices":[{"message":{"content":null}}],"usage":null})");
  CHECK(answer["usage"]["total_tokens"] == 0);
  CHECK(answer["choices"][0]["text"] == "");
  CHECK(answer["choices"][0]["finish_reason"].is_null());
}

TEST_CASE("content in parts gives the text of its parts") {
  CHECK(answer_of(R"({"choices":[{"message":{"content":[{"type":"text","text":"a\n"},{"type":"x"},{"text":"b"}]}}]})")
            ["choices"][0]["text"] == "a\nb");
}

TEST_CASE("the fence around an answer goes only when the caller wants code alone") {
  const std::string answer = R"({"choices":[{"message":{"content":"```cpp\nint x;\n```"}}]})";
  CHECK(answer_of(answer)["choices"][0]["text"] == "```cpp\nint x;\n```");
  CHECK(answer_of(answer, k_unfenced)["choices"][0]["text"] == "int x;");
}

TEST_CASE("an answer that is no chat completion is an upstream error") {
  for (const char* bytes :
       {"", "x", "{}", "[]", R"({"error":{"message":"m"}})", R"({"choices":5})", R"({"choices":[)"}) {
    const auto answer = chat_answer_to_completions(bytes);
    CAPTURE(bytes);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().kind == ErrorKind::upstream_error);
  }
}

TEST_CASE("a chat stream becomes a completion stream: role dropped, text and finish kept, the end passed") {
  CHECK(streamed(chunk(R"({"role":"assistant","content":""})") + chunk(R"({"content":"in\t"})") +
                 chunk(R"({"content":"t"})") + chunk("{}", "\"stop\"") + "data: [DONE]\n\n") ==
        legacy("in\\t") + legacy("t") + legacy("", "\"stop\"") + "data: [DONE]\n\n");
}

TEST_CASE("the usage frame of a stream keeps its numbers") {
  CHECK(streamed(chunk(R"({"content":"a"})") + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\n") ==
        legacy("a") + R"(data: {"id":"c1","object":"text_completion","created":7,"model":"m","choices":[],"usage":)" +
            "{\"prompt_tokens\":3}}\n\n");
}

TEST_CASE("usage beside the last choice stays beside it") {
  const std::string out =
      streamed(R"(data: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"x":1}})"
               "\n\n");
  const Json event = Json::parse(out.substr(6));
  CHECK(event["choices"][0]["text"] == "a");
  CHECK(event["usage"]["x"] == 1);
}

TEST_CASE("comments, errors and what nobody can read pass as they are") {
  for (const std::string& event :
       {std::string(": keepalive\n\n"), std::string("data: {\"error\":{\"message\":\"m\"}}\n\n"),
        std::string("event: error\ndata: {\"choices\":[]}\n\n"), std::string("data: x\n\n")}) {
    CHECK(streamed(event) == event);
  }
}

TEST_CASE("reasoning and tool calls have no place in a text completion") {
  CHECK(streamed(chunk(R"({"reasoning_content":"hm"})")).empty());
  CHECK(streamed(chunk(R"({"tool_calls":[]})", "\"tool_calls\"")) == legacy("", "\"stop\""));
}

TEST_CASE("every choice of a chunk is kept with its index") {
  const std::string out =
      streamed(R"(data: {"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]})"
               "\n\n");
  const Json event = Json::parse(out.substr(6));
  REQUIRE(event["choices"].size() == 2);
  CHECK(event["choices"][1]["index"] == 1);
  CHECK(event["choices"][1]["text"] == "b");
}

TEST_CASE("the fence lines of a stream go, wherever its chunks are cut, and no text is lost") {
  const std::string answer = "```python\nreturn `x`\n```\n";
  for (std::size_t step = 1; step <= answer.size(); ++step) {
    std::string stream = chunk(R"({"role":"assistant"})");
    for (std::size_t at = 0; at < answer.size(); at += step) {
      stream += chunk("{\"content\":" + quote_json(answer.substr(at, step)) + "}");
    }
    const std::string end = chunk("{}", "\"stop\"") + "data: [DONE]\n\n";
    CHECK(text_of(streamed(stream + end, k_unfenced)) == "return `x`");
    CHECK(text_of(streamed(stream + end)) == answer);
  }
}

TEST_CASE("text that was held back comes before the end, an error, or the break of a stream") {
  const std::string start = chunk(R"({"content":"``"})");
  CHECK(streamed(start, k_unfenced) == legacy("``"));
  CHECK(streamed(start + "data: [DONE]\n\n", k_unfenced) == legacy("``") + "data: [DONE]\n\n");
  const std::string error = "data: {\"error\":\"m\"}\n\n";
  CHECK(streamed(start + error, k_unfenced) == legacy("``") + error);
  CHECK(streamed(start + chunk("{}", "\"length\""), k_unfenced) == legacy("``", "\"length\""));
}

TEST_CASE("a complete stream gets the end that it lacks, and a broken one its error") {
  const auto translator = make_chat_to_completions_translator(k_unfenced);
  const std::string start = chunk(R"({"content":"``"})");
  nemo::stream::SseScanner scanner;
  scanner.feed(start);
  std::string out;
  while (const auto event = scanner.next()) translator->translate(*event, out);
  std::string broken = out;
  translator->finish(out);
  CHECK(out == legacy("``") + "data: [DONE]\n\n");
  translator->break_off(nemo::fail(nemo::ErrorKind::upstream_error, "it was cut"), broken);
  CHECK(broken.starts_with("data: {\"error\":{\"message\":\"it was cut\""));
}

TEST_CASE("a value that came over several data lines goes out on one") {
  const std::string out = streamed("data: {\"choices\":[],\"usage\":{\"a\":1,\ndata: \"b\":2}}\n\n");
  CHECK(out.find('\n') == out.size() - 2);
  CHECK(Json::parse(out.substr(6))["usage"]["b"] == 2);
}

}  // namespace nemo::test::completions_to_chat_test
