// What Ollama's clients ask, in OpenAI's words.
#include "ollama_talk.h"

namespace nemo::test::ollama_request_test {

using namespace nemo;
using namespace nemo::test;
using call::Surface;

namespace {

const Json k_hi = Json::array({{{"role", "user"}, {"content", "hi"}}});

OllamaTalk chat(Json fields) {
  if (!fields.contains("messages")) fields["messages"] = k_hi;
  return OllamaTalk(Surface::ollama_chat, fields);
}

OllamaTalk chat_of(const Json& messages) {
  return chat({{"messages", messages}});
}

OllamaTalk generate(const Json& fields) {
  return OllamaTalk(Surface::ollama_generate, fields);
}

Json call_of(const std::string& name, const Json& arguments) {
  return {{"function", {{"name", name}, {"arguments", arguments}}}};
}

}  // namespace

TEST_CASE("Ollama's calls are streamed unless they say otherwise") {
  CHECK(chat(Json::object()).spec().stream);
  CHECK(chat({{"stream", nullptr}}).spec().stream);
  CHECK(chat({{"stream", true}}).hub()["stream"] == true);
  CHECK_FALSE(chat({{"stream", false}}).spec().stream);
  CHECK_FALSE(chat({{"stream", false}}).hub().contains("stream"));
  CHECK(generate({{"prompt", "x"}}).spec().stream);
  CHECK(chat({{"stream", "yes"}}).error().param == "stream");
}

TEST_CASE("a model's name counts without Ollama's word for no tag, and no name is none") {
  CHECK(chat({{"model", "codestral-2:latest"}}).spec().model == "codestral-2");
  CHECK(chat({{"model", "codestral-2:latest"}}).hub()["model"] == "codestral-2");
  CHECK(chat({{"model", "qwen2.5-coder:7b"}}).spec().model == "qwen2.5-coder:7b");
  CHECK(chat(Json::object()).spec().model.empty());
  CHECK_FALSE(chat(Json::object()).hub().contains("model"));
  CHECK(chat({{"model", 7}}).error().param == "model");
}

TEST_CASE("options become OpenAI's fields, and what only a machine of one's own heeds is left out") {
  const OllamaTalk talk = chat({{"options",
                                 {{"temperature", 0.5},
                                  {"top_p", 0.9},
                                  {"top_k", 40},
                                  {"num_predict", 64},
                                  {"stop", Json::array({"a", "b"})},
                                  {"seed", 7},
                                  {"presence_penalty", 1.5},
                                  {"frequency_penalty", 0.5},
                                  {"num_ctx", 4096},
                                  {"mirostat", 1}}},
                                {"keep_alive", "5m"}});
  CHECK(talk.spec().max_tokens == 64);
  const Json expected{{"messages", k_hi}, {"temperature", 0.5},      {"top_p", 0.9},
                      {"top_k", 40},      {"max_tokens", 64},        {"stop", Json::array({"a", "b"})},
                      {"seed", 7},        {"presence_penalty", 1.5}, {"frequency_penalty", 0.5},
                      {"stream", true}};
  CHECK(talk.hub() == expected);
}

TEST_CASE("a length of zero or less is as much as there is") {
  for (const int length : {0, -1, -2}) {
    const OllamaTalk talk = chat({{"options", {{"num_predict", length}}}});
    CHECK_FALSE(talk.spec().max_tokens);
    CHECK_FALSE(talk.hub().contains("max_tokens"));
  }
  for (const Json& wrong : std::vector<Json>{"64", 1.5, 3'000'000'000, true}) {
    CHECK(chat({{"options", {{"num_predict", wrong}}}}).error().param == "options.num_predict");
  }
  CHECK(chat({{"options", Json::array()}}).error().param == "options");
  CHECK(chat({{"options", nullptr}}).spec().stream);
}

TEST_CASE("a chat keeps its first four stop texts, a completion all of them") {
  const Json stops = Json::array({"1", "2", "3", "4", "5", "6"});
  const Json options{{"stop", stops}};
  CHECK(chat({{"options", options}}).hub()["stop"] == Json::array({"1", "2", "3", "4"}));
  CHECK(generate({{"prompt", "x"}, {"options", options}}).hub()["stop"] == stops);
  CHECK(chat({{"options", {{"stop", "one"}}}}).hub()["stop"] == "one");
  CHECK_FALSE(chat({{"options", {{"stop", Json::array()}}}}).hub().contains("stop"));
  CHECK(chat({{"options", {{"stop", Json::array({1})}}}}).hub_refusal().param == "options.stop");
  CHECK(chat({{"options", {{"stop", 1}}}}).hub_refusal().param == "options.stop");
}

TEST_CASE("a format is JSON of any kind or by a schema") {
  const Json schema{{"type", "object"}, {"properties", {{"a", {{"type", "string"}}}}}};
  CHECK(chat({{"format", "json"}}).hub()["response_format"] == Json{{"type", "json_object"}});
  const Json told = chat({{"format", schema}}).hub()["response_format"];
  CHECK(told["type"] == "json_schema");
  CHECK(told["json_schema"]["schema"] == schema);
  CHECK(!told["json_schema"]["name"].get<std::string>().empty());
  for (const Json& none : std::vector<Json>{"", nullptr}) {
    CHECK_FALSE(chat({{"format", none}}).hub().contains("response_format"));
  }
  for (const Json& wrong : std::vector<Json>{"xml", 1, Json::array()}) {
    CHECK(chat({{"format", wrong}}).hub_refusal().param == "format");
  }
}

TEST_CASE("thinking is an effort where it is asked for") {
  CHECK(chat({{"think", true}}).hub()["reasoning_effort"] == "medium");
  CHECK(chat({{"think", "high"}}).hub()["reasoning_effort"] == "high");
  CHECK_FALSE(chat({{"think", false}}).hub().contains("reasoning_effort"));
  CHECK_FALSE(chat(Json::object()).hub().contains("reasoning_effort"));
  CHECK(chat({{"think", "a lot"}}).hub_refusal().param == "think");
}

TEST_CASE("tools go over as they are, and Nemo's own fields with them") {
  const Json tools =
      Json::array({{{"type", "function"}, {"function", {{"name", "f"}, {"parameters", Json::object()}}}}});
  const OllamaTalk talk = chat({{"tools", tools}, {"nemo_tags", Json::array({"eu"})}, {"nemo_lane", "reasoning"}});
  CHECK(talk.spec().has_tools);
  CHECK(talk.spec().tags == std::vector<std::string>{"eu"});
  CHECK(talk.spec().lane == "reasoning");
  CHECK(talk.hub()["tools"] == tools);
  CHECK(talk.hub()["nemo_tags"] == Json::array({"eu"}));
  CHECK_FALSE(chat({{"tools", Json::array()}}).spec().has_tools);
  CHECK(chat({{"tools", "f"}}).error().param == "tools");
  CHECK(chat({{"nemo_tags", 1}}).error().param == "nemo_tags");
}

TEST_CASE("an image goes over as a data URL of the kind that its bytes begin with") {
  const std::vector<std::pair<std::string, std::string>> kinds{{"iVBORw0KGgoAAA", "image/png"},
                                                               {"/9j/4AAQSkZJRg", "image/jpeg"},
                                                               {"R0lGODlhAQABAA", "image/gif"},
                                                               {"UklGRiQAAABXRU", "image/webp"}};
  for (const auto& [data, type] : kinds) {
    const Json content =
        chat_of(Json::array({{{"role", "user"}, {"content", "look"}, {"images", Json::array({data})}}}))
            .hub()["messages"][0]["content"];
    REQUIRE(content.size() == 2);
    CHECK(content[0] == Json{{"type", "text"}, {"text", "look"}});
    CHECK(content[1]["type"] == "image_url");
    CHECK(content[1]["image_url"]["url"] == "data:" + type + ";base64," + data);
  }
  const auto images = [](const Json& list) { return chat_of(Json::array({{{"role", "user"}, {"images", list}}})); };
  CHECK(images(Json::array({"data:image/png;base64,iVBOR"})).hub()["messages"][0]["content"][0]["image_url"]["url"] ==
        "data:image/png;base64,iVBOR");
  CHECK(images(Json::array({"iVBORw0KGgo", "hello"})).hub_refusal().param == "messages[0].images[1]");
  CHECK(images(Json::array({1})).hub_refusal().param == "messages[0].images[0]");
  CHECK(images("iVBORw0KGgo").hub_refusal().param == "messages[0].images");
  CHECK(images(Json::array()).hub()["messages"][0]["content"] == "");
}

TEST_CASE("an escaped slash in an image is a slash") {
  const auto body =
      protocol::RequestBody::parse(R"({"messages":[{"role":"user","images":["\/9j\/4AAQ"]}],"stream":false})");
  REQUIRE(body.ok());
  const auto& form = protocol::form_of(Surface::ollama_chat);
  const auto spec = form.parse(*body, {});
  REQUIRE(spec.ok());
  const auto told = form.hub->request(*body, *spec);
  REQUIRE(told.ok());
  CHECK(told->find("data:image/jpeg;base64,/9j/4AAQ") != std::string::npos);
}

TEST_CASE("tool calls and their answers are paired by name and order where they carry no id") {
  const Json messages = Json::array(
      {{{"role", "user"}, {"content", "weather?"}},
       {{"role", "assistant"},
        {"content", ""},
        {"thinking", "hm"},
        {"tool_calls", Json::array({call_of("weather", {{"city", "Ulm"}}), call_of("time", {{"zone", "CET"}}),
                                    call_of("weather", {{"city", "Bonn"}})})}},
       {{"role", "tool"}, {"tool_name", "time"}, {"content", "noon"}},
       {{"role", "tool"}, {"tool_name", "weather"}, {"content", "rain"}},
       {{"role", "tool"}, {"content", "sun"}}});
  const Json told = chat_of(messages).hub()["messages"];
  REQUIRE(told.size() == 5);
  CHECK(told[1]["content"].is_null());
  CHECK_FALSE(told[1].contains("thinking"));
  const Json calls = told[1]["tool_calls"];
  REQUIRE(calls.size() == 3);
  CHECK(calls[0]["type"] == "function");
  CHECK(calls[0]["function"]["name"] == "weather");
  CHECK(calls[0]["function"]["arguments"].is_string());
  CHECK(Json::parse(calls[0]["function"]["arguments"].get<std::string>()) == Json{{"city", "Ulm"}});
  for (const Json& call : calls) CHECK(call["id"].get<std::string>().size() == 9);
  CHECK(calls[0]["id"] != calls[2]["id"]);
  CHECK(told[2]["tool_call_id"] == calls[1]["id"]);
  CHECK(told[3]["tool_call_id"] == calls[0]["id"]);
  CHECK(told[4]["tool_call_id"] == calls[2]["id"]);
  CHECK(told[4]["content"] == "sun");
}

TEST_CASE("ids that a client kept are kept") {
  Json first = call_of("f", Json::object());
  first["id"] = "call_a";
  Json second = call_of("f", "{\"as\":\"text\"}");
  second["id"] = "call_b";
  const Json told = chat_of(Json::array({{{"role", "assistant"}, {"tool_calls", Json::array({first, second})}},
                                         {{"role", "tool"}, {"tool_call_id", "call_b"}, {"content", "2"}},
                                         {{"role", "tool"}, {"tool_call_id", "call_a"}, {"content", "1"}}}))
                        .hub()["messages"];
  CHECK(told[0]["tool_calls"][0]["id"] == "call_a");
  CHECK(told[0]["tool_calls"][0]["function"]["arguments"] == "{}");
  CHECK(told[0]["tool_calls"][1]["function"]["arguments"] == "{\"as\":\"text\"}");
  CHECK(told[1]["tool_call_id"] == "call_b");
  CHECK(told[2]["tool_call_id"] == "call_a");
}

TEST_CASE("what cannot be told of a conversation is refused with its place") {
  const auto param = [](const Json& message) { return chat_of(Json::array({message})).hub_refusal().param; };
  CHECK(param({{"content", "x"}}) == "messages[0].role");
  CHECK(param({{"role", "user"}, {"content", Json::array()}}) == "messages[0].content");
  CHECK(param({{"role", "assistant"}, {"tool_calls", "f"}}) == "messages[0].tool_calls");
  CHECK(param({{"role", "assistant"}, {"tool_calls", Json::array({{{"function", Json::object()}}})}}) ==
        "messages[0].tool_calls[0].function.name");
  CHECK(param({{"role", "assistant"}, {"tool_calls", Json::array({call_of("f", Json::array())})}}) ==
        "messages[0].tool_calls[0].function.arguments");
  CHECK(param({{"role", "tool"}, {"content", "x"}}) == "messages[0]");
  CHECK(param({{"role", "tool"}, {"tool_call_id", "call_x"}, {"content", "x"}}).empty());
  CHECK(chat_of(Json::array({"x"})).error().param == "messages");
  CHECK(chat_of("x").error().param == "messages");
}

TEST_CASE("a chat without messages asks for no text: it would load a model") {
  for (const Json& messages : {Json(nullptr), Json::array()}) {
    const OllamaTalk talk(Surface::ollama_chat, {{"model", "m:latest"}, {"messages", messages}});
    CHECK(talk.spec().only_warms_up);
    CHECK(talk.spec().model == "m");
  }
  CHECK(OllamaTalk(Surface::ollama_chat, {{"model", "m"}}).spec().only_warms_up);
  CHECK_FALSE(chat_of(k_hi).spec().only_warms_up);
}

TEST_CASE("a prompt with a suffix is a hole to be filled, and keeps both as they came") {
  const Json fields{{"prompt", "def f(\t"}, {"suffix", "\n  return x"}, {"raw", true}, {"system", "be brief"}};
  const OllamaTalk talk = generate(fields);
  CHECK(talk.spec().fill_in_middle);
  CHECK(talk.hub() == Json{{"prompt", "def f(\t"}, {"suffix", "\n  return x"}, {"stream", true}});
  CHECK(generate({{"prompt", ""}, {"suffix", "x"}}).spec().fill_in_middle);
  const OllamaTalk at_end = generate({{"prompt", "x"}, {"suffix", ""}});
  CHECK_FALSE(at_end.spec().fill_in_middle);
  CHECK_FALSE(at_end.hub().contains("suffix"));
}

TEST_CASE("a system text stands before the prompt, but not before one that is raw") {
  Json fields{{"prompt", "Why?"}, {"system", "Be \"brief\"."}, {"template", "{{ .Prompt }}"}, {"context", {1, 2}}};
  CHECK(generate(fields).hub() == Json{{"prompt", "Be \"brief\".\n\nWhy?"}, {"stream", true}});
  fields["raw"] = true;
  CHECK(generate(fields).hub()["prompt"] == "Why?");
}

TEST_CASE("what generate cannot serve is refused by its name") {
  CHECK(generate({{"prompt", 1}}).error().param == "prompt");
  CHECK(generate({{"prompt", "x"}, {"suffix", 1}}).error().param == "suffix");
  CHECK(generate({{"prompt", "x"}, {"raw", "yes"}}).error().param == "raw");
  CHECK(generate({{"prompt", "x"}, {"images", Json::array({"iVBORw0KGgo"})}}).error().param == "images");
  CHECK(generate({{"prompt", "x"}, {"images", Json::array()}}).error().message.empty());
}

TEST_CASE("an error is one text, upstream's own words where it refused") {
  const auto& form = protocol::form_of(Surface::ollama_chat);
  const Error own = fail(ErrorKind::model_not_found, "There is no \"m\".\n", "model");
  CHECK(Json::parse(form.error_body(own)) == Json{{"error", "There is no \"m\".\n"}});
  Error upstream = fail(ErrorKind::upstream_rejected, "refused");
  upstream.upstream_body = R"({"error":{"message":"too long","type":"t","param":null,"code":null}})";
  CHECK(Json::parse(form.error_body(upstream)) == Json{{"error", "too long"}});
  CHECK(form.error_body(own).find('\n') == std::string::npos);
}

}  // namespace nemo::test::ollama_request_test
