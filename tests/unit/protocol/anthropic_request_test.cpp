// The fields of a chat request as Anthropic's.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/anthropic.h"
#include "daemon/protocol/translate/chat_to_messages_model.h"

namespace nemo::test::anthropic_request_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using Json = nlohmann::json;

namespace {

struct Asked {
  const char* model = "claude-sonnet-4-5@20250929";
  MessagesFor target = MessagesFor::anthropic;
  std::optional<std::int64_t> output_cap = {};
  std::int64_t max_output_tokens = 0;
};

const std::string k_messages = R"("messages":[{"role":"user","content":"x"}])";

nemo::Result<std::string> translate(const std::string& fields, const Asked& asked = {}) {
  const std::string bytes = fields.find("\"messages\"") == std::string::npos
                                ? "{" + k_messages + (fields.empty() ? "" : ",") + fields + "}"
                                : "{" + fields + "}";
  CAPTURE(bytes);
  const auto body = RequestBody::parse(bytes);
  REQUIRE(body.ok());
  const auto spec = parse_chat(*body);
  REQUIRE(spec.ok());
  return chat_request_to_messages(*body, *spec, asked.model, asked.target, asked.output_cap, asked.max_output_tokens);
}

Json sent_for(const std::string& fields, const Asked& asked = {}) {
  const auto sent = translate(fields, asked);
  CAPTURE(fields);
  if (!sent) FAIL_CHECK(sent.error().message);
  REQUIRE(sent.ok());
  CAPTURE(*sent);
  REQUIRE(Json::accept(*sent));
  return Json::parse(*sent);
}

std::string refused_field(const std::string& fields) {
  const auto sent = translate(fields);
  CAPTURE(fields);
  REQUIRE_FALSE(sent.ok());
  CHECK(sent.error().kind == ErrorKind::invalid_request);
  CHECK(sent.error().message.find(sent.error().param) == 0);
  return sent.error().param;
}

const std::string k_tools = R"("tools":[{"type":"function","function":{"name":"f","description":"d",
  "parameters":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},"strict":true}}])";

Json choice_for(const std::string& fields) {
  const Json sent = sent_for(k_tools + "," + fields);
  return sent.contains("tool_choice") ? sent["tool_choice"] : Json();
}

}  // namespace

TEST_CASE("the model is upstream's, and fields that Anthropic does not know stay behind") {
  const Json sent = sent_for(R"("model":"alias","seed":7,"frequency_penalty":1,"presence_penalty":1,"logit_bias":{},
    "store":true,"metadata":{"tags":["x"]},"prompt_cache_key":"k","service_tier":"auto","prediction":{},"n":1,
    "logprobs":false,"top_logprobs":0,"stream_options":{"include_usage":true},"nemo_cache":false,"nemo_tags":["a"],
    "nemo_lane":"reasoning","nemo_fallbacks":["m"],"modalities":["text"],"response_format":{"type":"text"},
    "reasoning_effort":null,"tools":[],"tool_choice":"auto","stop":null,"user":"","verbosity":"low")");
  CHECK(sent == Json::parse(R"({"model":"claude-sonnet-4-5@20250929","max_tokens":4096,
    "messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]})"));
}

TEST_CASE("Vertex gets its version and no model, and is told of a stream like Anthropic") {
  const Json vertex = sent_for(R"("model":"alias","stream":true)", {.target = MessagesFor::vertex});
  CHECK_FALSE(vertex.contains("model"));
  CHECK(vertex["anthropic_version"] == "vertex-2023-10-16");
  CHECK(vertex["stream"] == true);
  const Json anthropic = sent_for(R"("stream":true)");
  CHECK(anthropic["stream"] == true);
  CHECK_FALSE(anthropic.contains("anthropic_version"));
}

TEST_CASE("max_tokens: the cap wins, then what the caller says, then the model's longest, then 4096") {
  CHECK(sent_for(R"("max_tokens":50)", {.output_cap = 10, .max_output_tokens = 9})["max_tokens"] == 10);
  CHECK(sent_for("", {.output_cap = 10})["max_tokens"] == 10);
  CHECK(sent_for(R"("max_tokens":50)", {.max_output_tokens = 9})["max_tokens"] == 50);
  CHECK(sent_for(R"("max_completion_tokens":60)")["max_tokens"] == 60);
  CHECK(sent_for("", {.max_output_tokens = 9})["max_tokens"] == 9);
  CHECK(sent_for("")["max_tokens"] == 4096);
  CHECK(sent_for(R"("max_tokens":0)")["max_tokens"] == 1);
}

TEST_CASE("temperature and top_p are held to 0..1, and one of them is sent") {
  const auto exact = [](const std::string& fields, const char* expected) {
    const auto sent = translate(fields);
    REQUIRE(sent.ok());
    CAPTURE(*sent);
    CHECK(sent->find(expected) != std::string::npos);
  };
  exact(R"("temperature":0.30)", R"("temperature":0.30)");
  exact(R"("temperature":1.7)", R"("temperature":1)");
  exact(R"("temperature":-0.5)", R"("temperature":0)");
  exact(R"("temperature":1e999)", R"("temperature":1)");
  exact(R"("temperature":1e-999)", R"("temperature":0)");
  exact(R"("top_p":0.9)", R"("top_p":0.9)");
  exact(R"("top_k":40)", R"("top_k":40)");
  CHECK_FALSE(sent_for(R"("temperature":0.2,"top_p":0.9)").contains("top_p"));
  CHECK_FALSE(sent_for(R"("temperature":0.2,"top_p":1)").contains("top_p"));
  const Json by_top_p = sent_for(R"("temperature":1,"top_p":0.9)");
  CHECK(by_top_p["top_p"] == 0.9);
  CHECK_FALSE(by_top_p.contains("temperature"));
}

TEST_CASE("models that refuse sampling are not sent any") {
  const Json sent = sent_for(R"("temperature":0.2,"top_p":0.9,"top_k":4)", {.model = "claude-opus-4-7@default"});
  CHECK_FALSE(sent.contains("temperature"));
  CHECK_FALSE(sent.contains("top_p"));
  CHECK_FALSE(sent.contains("top_k"));
}

TEST_CASE("stop becomes stop_sequences, without those that Anthropic refuses") {
  CHECK(sent_for(R"("stop":"END")")["stop_sequences"] == Json::parse(R"(["END"])"));
  CHECK(sent_for(R"("stop":["a","\n\n","b\n",""," "])")["stop_sequences"] == Json::parse(R"(["a","b\n"])"));
  CHECK_FALSE(sent_for(R"("stop":["\n"])").contains("stop_sequences"));
  CHECK_FALSE(sent_for(R"("stop":[])").contains("stop_sequences"));
}

TEST_CASE("the user is named to Anthropic, unless the name is too long for it") {
  CHECK(sent_for(R"("user":"u-1")")["metadata"] == Json::parse(R"({"user_id":"u-1"})"));
  CHECK(sent_for(R"("safety_identifier":"s-1")")["metadata"]["user_id"] == "s-1");
  CHECK_FALSE(sent_for("\"user\":\"" + std::string(300, 'x') + "\"").contains("metadata"));
}

TEST_CASE("tools keep name, description and schema; one without parameters gets an empty schema") {
  CHECK(sent_for(k_tools)["tools"] == Json::parse(R"([{"name":"f","description":"d",
    "input_schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}}])"));
  const Json sent = sent_for(R"("tools":[{"type":"function","function":{"name":"now"}},
    {"type":"function","function":{"name":"later","description":"","parameters":null}},
    {"type":"function","function":{"name":"b","parameters":{}}},
    {"type":"function","function":{"name":"c","parameters":{"properties":{"x":{}}}},
     "cache_control":{"type":"ephemeral"}}])");
  const Json empty = Json::parse(R"({"type":"object","properties":{}})");
  CHECK(sent["tools"][0] == Json{{"name", "now"}, {"input_schema", empty}});
  CHECK(sent["tools"][1] == Json{{"name", "later"}, {"input_schema", empty}});
  CHECK(sent["tools"][2]["input_schema"] == empty);
  CHECK(sent["tools"][3]["input_schema"] == Json::parse(R"({"type":"object","properties":{"x":{}}})"));
  CHECK(sent["tools"][3]["cache_control"]["type"] == "ephemeral");
  CHECK_FALSE(sent.contains("tool_choice"));
}

TEST_CASE("every tool choice has its counterpart, and one call at a time is asked for there") {
  CHECK(choice_for(R"("seed":1)") == Json());
  CHECK(choice_for(R"("tool_choice":"auto")") == Json::parse(R"({"type":"auto"})"));
  CHECK(choice_for(R"("tool_choice":"none")") == Json::parse(R"({"type":"none"})"));
  CHECK(choice_for(R"("tool_choice":"required")") == Json::parse(R"({"type":"any"})"));
  CHECK(choice_for(R"("tool_choice":{"type":"function","function":{"name":"f"}})") ==
        Json::parse(R"({"type":"tool","name":"f"})"));
  CHECK(choice_for(R"("parallel_tool_calls":false)") ==
        Json::parse(R"({"type":"auto","disable_parallel_tool_use":true})"));
  CHECK(choice_for(R"("parallel_tool_calls":false,"tool_choice":"required")") ==
        Json::parse(R"({"type":"any","disable_parallel_tool_use":true})"));
  CHECK(choice_for(R"("parallel_tool_calls":false,"tool_choice":"none")") == Json::parse(R"({"type":"none"})"));
  CHECK(choice_for(R"("parallel_tool_calls":true)") == Json());
  CHECK_FALSE(sent_for(R"("tool_choice":"none","parallel_tool_calls":false)").contains("tool_choice"));
}

TEST_CASE("reasoning effort buys a budget where max_tokens leaves room, and silences the temperature") {
  const struct {
    const char* effort;
    int max_tokens;
    int budget;  // 0: no thinking
  } cases[] = {{"low", 4096, 1024},   {"low", 1025, 1024},    {"low", 1024, 0},        {"medium", 16000, 8192},
               {"medium", 8192, 0},   {"high", 64000, 24576}, {"high", 24576, 0},      {"xhigh", 64000, 24576},
               {"minimal", 64000, 0}, {"none", 64000, 0},     {"unheard-of", 64000, 0}};
  for (const auto& one : cases) {
    const char* const effort = one.effort;
    const int max_tokens = one.max_tokens;
    const int budget = one.budget;
    const Json sent = sent_for("\"temperature\":0.5,\"reasoning_effort\":\"" + std::string(effort) +
                               "\",\"max_tokens\":" + std::to_string(max_tokens));
    CAPTURE(effort);
    CAPTURE(max_tokens);
    CHECK(sent["max_tokens"] == max_tokens);
    CHECK(sent.contains("temperature") == (budget == 0));
    CHECK(sent.contains("thinking") == (budget != 0));
    if (budget != 0) CHECK(sent["thinking"] == Json{{"type", "enabled"}, {"budget_tokens", budget}});
  }
}

TEST_CASE("a budget's cap counts too: what the money allows leaves no room for thinking") {
  CHECK_FALSE(sent_for(R"("max_tokens":9000,"reasoning_effort":"medium")", {.output_cap = 500}).contains("thinking"));
}

TEST_CASE("reasoning effort gives way to a forced tool and to an answer that is to be gone on with") {
  const std::string effort = R"("reasoning_effort":"low","max_tokens":9000)";
  CHECK(sent_for(k_tools + "," + effort).contains("thinking"));
  CHECK_FALSE(sent_for(k_tools + R"(,"tool_choice":"required",)" + effort).contains("thinking"));
  CHECK_FALSE(sent_for(R"("messages":[{"role":"user","content":"x"},{"role":"assistant","content":"{"}],)" + effort)
                  .contains("thinking"));
}

TEST_CASE("reasoning effort gives way in a tool loop whose thinking did not come back, and stays where it did") {
  const auto loop = [](const std::string& thinking) {
    return R"("max_tokens":9000,"reasoning_effort":"low","messages":[{"role":"user","content":"x"},
      {"role":"assistant","content":"t",)" +
           thinking + R"("tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"1","content":"r"}])";
  };
  CHECK_FALSE(sent_for(loop("")).contains("thinking"));
  CHECK_FALSE(sent_for(loop(R"("reasoning_content":"hm",)")).contains("thinking"));
  CHECK(sent_for(loop(R"("thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"s"}],)"))
            .contains("thinking"));
}

TEST_CASE("models are asked to think in the way they take") {
  const std::string effort = R"("temperature":0.5,"reasoning_effort":"high","max_tokens":64000)";
  const Json adaptive = sent_for(effort, {.model = "claude-opus-4-7@default"});
  CHECK(adaptive["thinking"] == Json::parse(R"({"type":"adaptive","display":"summarized"})"));
  CHECK(adaptive["output_config"] == Json::parse(R"({"effort":"high"})"));
  const Json none = sent_for(effort, {.model = "claude-3-5-haiku@20241022"});
  CHECK_FALSE(none.contains("thinking"));
  CHECK(none["temperature"] == 0.5);
  const struct {
    const char* model;
    Thinking thinking;
    Sampling sampling;
  } models[] = {
      {"claude-3-5-haiku@20241022", Thinking::none, Sampling::taken},
      {"claude-3-opus-20240229", Thinking::none, Sampling::taken},
      {"claude-3-7-sonnet-latest", Thinking::budget, Sampling::taken},
      {"claude-sonnet-4@20250514", Thinking::budget, Sampling::taken},
      {"claude-sonnet-4-20250514", Thinking::budget, Sampling::taken},
      {"claude-haiku-4-5@20251001", Thinking::budget, Sampling::taken},
      {"anthropic/claude-opus-4.6", Thinking::budget, Sampling::taken},
      {"claude-opus-4-8@default", Thinking::adaptive, Sampling::refused},
      {"claude-sonnet-5@default", Thinking::adaptive, Sampling::refused},
      {"anthropic/claude-opus-5", Thinking::adaptive, Sampling::refused},
      {"my-own-name", Thinking::budget, Sampling::taken},
      {"claude-next", Thinking::budget, Sampling::taken},
  };
  for (const auto& one : models) {
    CAPTURE(one.model);
    CHECK(claude_takes(one.model).thinking == one.thinking);
    CHECK(claude_takes(one.model).sampling == one.sampling);
  }
}

TEST_CASE("thinking that the caller states goes up as it is and wins over the effort") {
  const auto sent = translate(R"("thinking":{"type":"enabled", "budget_tokens":2000},"reasoning_effort":"high",
    "temperature":0.5,"top_p":0.9)");
  REQUIRE(sent.ok());
  CHECK(sent->find(R"("thinking":{"type":"enabled", "budget_tokens":2000})") != std::string::npos);
  CHECK(sent->find("temperature") == std::string::npos);
  CHECK(sent_for(R"("thinking":{"type":"disabled"},"temperature":0.5)")["temperature"] == 0.5);
}

TEST_CASE("a JSON answer is asked for in words, behind everything else in system") {
  const Json object = sent_for(R"("messages":[{"role":"system","content":"s"},{"role":"user","content":"x"}],
    "response_format":{"type":"json_object"})");
  REQUIRE(object["system"].size() == 2);
  CHECK(object["system"][0]["text"] == "s");
  CHECK(object["system"][1]["text"].get<std::string>().find("JSON object") != std::string::npos);
  const Json schema = sent_for(R"("response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,
    "schema":{"type":"object","properties":{"q":{"enum":["\"a\"","é"]}}}}})");
  const std::string text = schema["system"][0]["text"];
  CHECK(text.find(R"({"type":"object","properties":{"q":{"enum":["\"a\"","é"]}}})") != std::string::npos);
}

TEST_CASE("what cannot be served is refused by the field's name") {
  const struct {
    const char* fields;
    const char* field;
  } cases[] = {
      {R"("n":2)", "n"},
      {R"("logprobs":true)", "logprobs"},
      {R"("top_logprobs":3)", "top_logprobs"},
      {R"("audio":{"voice":"x"})", "audio"},
      {R"("modalities":["text","audio"])", "modalities"},
      {R"("functions":[{"name":"f"}])", "functions"},
      {R"("temperature":"warm")", "temperature"},
      {R"("top_p":[])", "top_p"},
      {R"("stop":7)", "stop"},
      {R"("stop":["a",7])", "stop"},
      {R"("thinking":true)", "thinking"},
      {R"("reasoning_effort":3)", "reasoning_effort"},
      {R"("response_format":"json")", "response_format"},
      {R"("response_format":{"type":"grammar"})", "response_format.type"},
      {R"("tools":[1])", "tools[0]"},
      {R"("tools":[{"type":"web_search"}])", "tools[0].type"},
      {R"("tools":[{"type":"function"}])", "tools[0].function"},
      {R"("tools":[{"type":"function","function":{}}])", "tools[0].function.name"},
      {R"("tools":[{"type":"function","function":{"name":"f","parameters":[]}}])", "tools[0].function.parameters"},
      {R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"any")", "tool_choice"},
      {R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"allowed_tools"})",
       "tool_choice"},
  };
  for (const auto& [fields, field] : cases) {
    CHECK(refused_field(fields) == field);
  }
}

}  // namespace nemo::test::anthropic_request_test
