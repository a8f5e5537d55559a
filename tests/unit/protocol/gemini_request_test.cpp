// A generateContent request: what is read of it, and how it is told as an OpenAI chat.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/protocol/openai.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/protocol/surfaces/forms.h"

namespace nemo::test::gemini_request_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using Json = nlohmann::json;

namespace {

const Json k_hello = {{{"role", "user"}, {"parts", {{{"text", "hello"}}}}}};

nemo::Result<nemo::call::CallSpec> parsed(const Json& json, const PathWords& path = {"m", false}) {
  const auto body = RequestBody::parse(json.dump());
  REQUIRE(body.ok());
  return gemini_form().parse(*body, path);
}

nemo::Result<std::string> told(const Json& json, const PathWords& path = {"m", false}) {
  const auto body = RequestBody::parse(json.dump());
  REQUIRE(body.ok());
  const auto spec = gemini_form().parse(*body, path);
  REQUIRE(spec.ok());
  return gemini_form().hub->request(*body, *spec);
}

Json chat_of(const Json& json, const PathWords& path = {"m", false}) {
  CAPTURE(json.dump());
  const auto chat = told(json, path);
  INFO((chat.ok() ? std::string() : chat.error().message));
  REQUIRE(chat.ok());
  // It is what the chat surface takes.
  const auto body = RequestBody::parse(*chat);
  REQUIRE(body.ok());
  REQUIRE(parse_chat(*body).ok());
  return Json::parse(*chat);
}

Json with(const Json& fields) {
  Json json = {{"contents", k_hello}};
  json.update(fields);
  return json;
}

Json with_config(const Json& config) {
  return with({{"generationConfig", config}});
}

std::string refused_field(const Json& json) {
  CAPTURE(json.dump());
  const auto chat = told(json);
  REQUIRE(!chat.ok());
  CHECK(chat.error().kind == ErrorKind::invalid_request);
  return chat.error().param;
}

Json contents(const std::vector<Json>& list) {
  return {{"contents", list}};
}
Json user(const std::vector<Json>& parts) {
  return {{"role", "user"}, {"parts", parts}};
}
Json model(const std::vector<Json>& parts) {
  return {{"role", "model"}, {"parts", parts}};
}

}  // namespace

TEST_CASE("the path says the model and whether it streams; limits come from generationConfig, in either spelling") {
  const auto spec = parsed(with({{"generation_config", {{"max_output_tokens", 77}, {"candidateCount", 2}}},
                                 {"tools", {{{"functionDeclarations", {{{"name", "f"}}}}}}},
                                 {"nemo_lane", "reasoning"},
                                 {"nemo_tags", {"code"}}}),
                           {"models/gemini-2.5-pro", true});
  REQUIRE(spec.ok());
  CHECK(spec->surface == nemo::call::Surface::gemini);
  CHECK(spec->model == "gemini-2.5-pro");
  CHECK(spec->stream);
  CHECK(spec->max_tokens == 77);
  CHECK(spec->choices == 2);
  CHECK(spec->answers == 2);
  CHECK(spec->has_tools);
  CHECK(spec->lane == "reasoning");
  CHECK(spec->tags == std::vector<std::string>{"code"});
  CHECK(spec->prompt_bytes >= k_hello.dump().size());
  CHECK(!parsed(with(Json::object()))->stream);
  CHECK(parsed(with({{"model", "models/x"}}), {})->model == "x");
}

TEST_CASE("what cannot be read is refused by its name, and another surface's body is shown its path") {
  const auto field = [](const Json& json) {
    const auto spec = parsed(json);
    REQUIRE(!spec.ok());
    CHECK(spec.error().kind == ErrorKind::invalid_request);
    return spec.error().param;
  };
  CHECK(field({{"x", 1}}) == "contents");
  CHECK(field({{"contents", Json::array()}}) == "contents");
  CHECK(field({{"contents", "hello"}}) == "contents");
  CHECK(field(with_config({{"maxOutputTokens", "many"}})) == "generationConfig.maxOutputTokens");
  CHECK(field(with_config({{"maxOutputTokens", 1}, {"max_output_tokens", 100000}})) ==
        "generationConfig.maxOutputTokens");
  CHECK(field(with_config({{"candidateCount", 9}})) == "generationConfig.candidateCount");
  CHECK(field(with({{"generationConfig", 3}})) == "generationConfig");
  CHECK(field(with({{"generationConfig", Json::object()}, {"generation_config", Json::object()}})) ==
        "generationConfig");
  const auto openai = parsed({{"messages", {{{"role", "user"}, {"content", "x"}}}}});
  REQUIRE(!openai.ok());
  CHECK(openai.error().message.find("/v1/chat/completions") != std::string::npos);
}

TEST_CASE("turns become messages; several parts stay several, and one object stands for a list of one") {
  const Json chat = chat_of({{"systemInstruction", {{"parts", {{{"text", "be"}}, {{"text", "brief"}}}}}},
                             {"contents",
                              {user({{{"text", "one"}}, {{"text", "two \"q\" \n é"}}}),
                               model({{{"text", "an"}}, {{"text", "swer"}}}),
                               {{"parts", {{"text", "on"}}}}}}});
  CHECK(chat["model"] == "m");
  CHECK(!chat.contains("stream"));
  CHECK(chat["messages"] ==
        Json({{{"role", "system"}, {"content", "be\nbrief"}},
              {{"role", "user"},
               {"content", {{{"type", "text"}, {"text", "one"}}, {{"type", "text"}, {"text", "two \"q\" \n é"}}}}},
              {{"role", "assistant"}, {"content", "answer"}},
              {{"role", "user"}, {"content", "on"}}}));
  const Json streamed = chat_of({{"contents", user({{{"text", "x"}}})}, {"system_instruction", "short"}}, {"", true});
  CHECK(!streamed.contains("model"));
  CHECK(streamed["stream"] == true);
  CHECK(streamed["stream_options"]["include_usage"] == true);
  CHECK(streamed["messages"][0] == Json({{"role", "system"}, {"content", "short"}}));
}

TEST_CASE("images go as data, and linked ones over https; other media are named and refused") {
  const Json chat =
      chat_of(contents({user({{{"inlineData", {{"mimeType", "image/png"}, {"data", "aGk="}}}},
                              {{"file_data", {{"mime_type", "image/jpeg"}, {"file_uri", "https://x/y.jpg"}}}}})}));
  const Json parts = chat["messages"][0]["content"];
  REQUIRE(parts.size() == 2);
  CHECK(parts[0]["image_url"]["url"] == "data:image/png;base64,aGk=");
  CHECK(parts[1]["image_url"]["url"] == "https://x/y.jpg");

  const Json audio =
      contents({user({{{"text", "x"}}, {{"inlineData", {{"mimeType", "audio/wav"}, {"data", "aGk="}}}}})});
  CHECK(refused_field(audio) == "contents[0].parts[1].inlineData");
  CHECK(told(audio).error().message.find("audio/wav") != std::string::npos);
  const Json bucket = contents({user({{{"fileData", {{"mimeType", "image/png"}, {"fileUri", "gs://b/x.png"}}}}})});
  CHECK(refused_field(bucket) == "contents[0].parts[0].fileData");
  CHECK(told(bucket).error().message.find("inlineData") != std::string::npos);
}

TEST_CASE("parallel calls stand in one message, and each response finds its call by id, or by name in order") {
  const Json chat = chat_of(contents(
      {user({{{"text", "go"}}}),
       model({{{"text", "let me see"}},
              {{"functionCall", {{"id", "given-1"}, {"name", "look"}, {"args", {{"at", "a"}}}}},
               {"thoughtSignature", "c2ln"}},
              {{"functionCall", {{"name", "look"}, {"args", {{"at", "b"}}}}}}}),
       model({{{"functionCall", {{"name", "count"}}}}}),
       user({{{"functionResponse", {{"name", "count"}, {"response", {{"n", 3}}}}}},
             {{"text", "and now?"}},
             {{"functionResponse", {{"id", "look-17"}, {"name", "look"}, {"response", {{"output", "line\n2"}}}}}}}),
       {{"role", "function"},
        {"parts", {{{"functionResponse", {{"id", "given-1"}, {"name", "look"}, {"response", {{"error", "no"}}}}}}}}}}));
  const Json messages = chat["messages"];
  REQUIRE(messages.size() == 6);
  const Json calls = messages[1]["tool_calls"];
  CHECK(messages[1]["content"] == "let me see");
  REQUIRE(calls.size() == 3);
  CHECK(calls[0]["id"] == "given-1");
  CHECK(calls[0]["extra_content"]["google"]["thought_signature"] == "c2ln");
  CHECK(!calls[1].contains("extra_content"));
  CHECK(Json::parse(calls[1]["function"]["arguments"].get<std::string>()) == Json({{"at", "b"}}));
  CHECK(calls[2]["function"] == Json({{"name", "count"}, {"arguments", "{}"}}));
  const std::string made_up = calls[1]["id"];
  CHECK(made_up.size() == 9);
  CHECK(made_up != calls[2]["id"]);
  CHECK(messages[2] == Json({{"role", "tool"}, {"tool_call_id", calls[2]["id"]}, {"content", "{\"n\":3}"}}));
  // An id that no call has: the client made it up. given-1 is the first open call of that name.
  CHECK(messages[3]["content"] == "line\n2");
  CHECK(messages[4] == Json({{"role", "user"}, {"content", "and now?"}}));
  CHECK(messages[5]["content"] == "{\"error\":\"no\"}");
  CHECK(messages[5]["role"] == "tool");
  CHECK(messages[3]["tool_call_id"] != messages[5]["tool_call_id"]);
}

TEST_CASE("a response without a call, a call without a name and arguments that are no object are refused by place") {
  CHECK(refused_field(contents({user({{{"functionResponse", {{"name", "f"}, {"response", {{"a", 1}}}}}}})})) ==
        "contents[0].parts[0].functionResponse");
  CHECK(refused_field(contents({user({{{"text", "x"}}}), model({{{"functionCall", {{"args", Json::object()}}}}})})) ==
        "contents[1].parts[0].functionCall.name");
  CHECK(refused_field(contents({model({{{"functionCall", {{"name", "f"}, {"args", "x"}}}}})})) ==
        "contents[0].parts[0].functionCall.args");
  CHECK(refused_field(contents({{{"role", "assistant"}, {"parts", {{{"text", "x"}}}}}})) == "contents[0].role");
  CHECK(refused_field(contents({user({{{"text", 7}}})})) == "contents[0].parts[0].text");
  CHECK(refused_field(contents({user({{{"text", ""}}})})) == "contents");
}

TEST_CASE("thoughts of earlier turns are left out, and a turn of nothing else is no message") {
  const Json chat = chat_of(
      contents({user({{{"text", "x"}}}), model({{{"text", "hm"}, {"thought", true}, {"thoughtSignature", "c2ln"}}}),
                model({{{"text", "well"}, {"thoughtSignature", "c2ln"}}}), user({{{"text", "y"}}})}));
  REQUIRE(chat["messages"].size() == 3);
  CHECK(chat["messages"][1] == Json({{"role", "assistant"}, {"content", "well"}}));
}

TEST_CASE("declared functions become tools: types in small letters, nullable a type, a JSON schema as it is") {
  const Json parameters = {
      {"type", "OBJECT"},
      {"properties",
       {{"type", {{"type", "STRING"}, {"nullable", true}, {"enum", {"a", "b"}}, {"format", "enum"}}},
        {"count", {{"type", "INTEGER"}, {"format", "int32"}, {"minimum", 1}}},
        {"list", {{"type", "ARRAY"}, {"items", {{"type", "NUMBER"}}}, {"minItems", "2"}}},
        {"any", {{"any_of", {{{"type", "BOOLEAN"}}, {{"type", "STRING"}}}}, {"nullable", true}}}}},
      {"required", {"type"}},
      {"propertyOrdering", {"type", "count"}}};
  const Json schema = {{"type", "object"}, {"properties", {{"x", {{"const", "STRING"}}}}}};
  const Json chat =
      chat_of(with({{"tools",
                     {{{"functionDeclarations",
                        {{{"name", "f"}, {"description", "does f"}, {"parameters", parameters}},
                         {{"name", "g"}, {"parametersJsonSchema", schema}}}}},
                      {{"function_declarations", {{{"name", "h"}}}}, {"googleSearch", Json::object()}}}}}));
  REQUIRE(chat["tools"].size() == 3);
  const Json f = chat["tools"][0]["function"];
  CHECK(f["description"] == "does f");
  const Json properties = f["parameters"]["properties"];
  CHECK(f["parameters"]["type"] == "object");
  CHECK(f["parameters"]["required"] == Json({"type"}));
  CHECK(!f["parameters"].contains("propertyOrdering"));
  CHECK(properties["type"] == Json({{"type", {"string", "null"}}, {"enum", {"a", "b", nullptr}}}));
  CHECK(properties["count"] == Json({{"type", "integer"}, {"format", "int32"}, {"minimum", 1}}));
  CHECK(properties["list"] == Json({{"type", "array"}, {"items", {{"type", "number"}}}, {"minItems", 2}}));
  CHECK(properties["any"]["anyOf"].size() == 3);
  CHECK(properties["any"]["anyOf"][2] == Json({{"type", "null"}}));
  CHECK(chat["tools"][1]["function"]["parameters"] == schema);
  CHECK(chat["tools"][2]["function"]["parameters"]["type"] == "object");
  CHECK(!chat.contains("tool_choice"));
}

TEST_CASE("tools that run at Google are refused by name when there are no others") {
  const Json body = with({{"tools", {{{"googleSearch", Json::object()}}, {{"url_context", Json::object()}}}}});
  CHECK(refused_field(body) == "tools");
  const std::string message = told(body).error().message;
  CHECK(message.find("googleSearch") != std::string::npos);
  CHECK(message.find("url_context") != std::string::npos);
}

TEST_CASE("the calling mode becomes tool_choice, and functions that are not allowed are left out") {
  const auto chat = [](const Json& calling) {
    return chat_of(with({{"tools", {{{"functionDeclarations", {{{"name", "f"}}, {{"name", "g"}}, {{"name", "h"}}}}}}},
                         {"toolConfig", {{"functionCallingConfig", calling}}}}));
  };
  CHECK(chat({{"mode", "AUTO"}})["tool_choice"] == "auto");
  CHECK(chat({{"mode", "NONE"}})["tool_choice"] == "none");
  CHECK(chat({{"mode", "ANY"}})["tool_choice"] == "required");
  CHECK(chat({{"mode", "ANY"}})["tools"].size() == 3);
  const Json one = chat({{"mode", "ANY"}, {"allowedFunctionNames", {"g"}}});
  CHECK(one["tool_choice"] == Json({{"type", "function"}, {"function", {{"name", "g"}}}}));
  CHECK(one["tools"].size() == 1);
  const Json two = chat({{"mode", "ANY"}, {"allowed_function_names", {"f", "h"}}});
  CHECK(two["tool_choice"] == "required");
  CHECK(two["tools"].size() == 2);
  const Json wrong = {{"functionCallingConfig", {{"mode", "ANY"}, {"allowedFunctionNames", {"x"}}}}};
  CHECK(refused_field(with({{"tools", {{{"functionDeclarations", {{{"name", "f"}}}}}}}, {"toolConfig", wrong}})) ==
        "toolConfig.functionCallingConfig.allowedFunctionNames");
}

TEST_CASE("generationConfig goes over under OpenAI's names") {
  const Json chat = chat_of(with({{"generationConfig",
                                   {{"temperature", 0.5},
                                    {"topP", 0.9},
                                    {"topK", 20},
                                    {"maxOutputTokens", 100},
                                    {"stopSequences", {"END"}},
                                    {"candidateCount", 2},
                                    {"seed", 7},
                                    {"presencePenalty", 0.1},
                                    {"frequency_penalty", -0.2},
                                    {"thinkingConfig", {{"thinkingBudget", 2000}}}}},
                                  {"safetySettings", {{{"category", "x"}}}},
                                  {"nemo_cache", false}}));
  const Json wanted = {{"temperature", 0.5},
                       {"top_p", 0.9},
                       {"top_k", 20},
                       {"max_tokens", 100},
                       {"stop", {"END"}},
                       {"n", 2},
                       {"seed", 7},
                       {"presence_penalty", 0.1},
                       {"frequency_penalty", -0.2},
                       {"nemo_cache", false},
                       {"reasoning_effort", "medium"}};
  for (const auto& one : wanted.items()) {
    INFO(one.key());
    CHECK(chat[one.key()] == one.value());
  }
  CHECK(!chat.contains("safetySettings"));
  CHECK(chat.size() == wanted.size() + 2);  // model, messages
  CHECK(!chat_of(with_config({{"topK", 64}, {"stopSequences", Json::array()}, {"maxOutputTokens", 0}}))
             .contains("top_k"));
}

TEST_CASE("a thinking budget or level becomes an effort; one that is left to the model says nothing") {
  const auto effort = [](const Json& thinking) {
    const Json chat = chat_of(with_config({{"thinkingConfig", thinking}}));
    return chat.contains("reasoning_effort") ? chat["reasoning_effort"].get<std::string>() : "";
  };
  CHECK(effort({{"thinkingBudget", 0}}) == "none");
  CHECK(effort({{"thinkingBudget", 1024}}) == "low");
  CHECK(effort({{"thinkingBudget", 8192}}) == "medium");
  CHECK(effort({{"thinkingBudget", 24576}}) == "high");
  CHECK(effort({{"thinkingBudget", -1}}).empty());
  CHECK(effort({{"includeThoughts", true}}).empty());
  CHECK(effort({{"thinkingLevel", "HIGH"}}) == "high");
  CHECK(refused_field(with_config({{"thinkingConfig", {{"thinkingLevel", "SOME"}}}})) ==
        "generationConfig.thinkingConfig.thinkingLevel");
}

TEST_CASE("an answer in JSON is asked for by its schema, if there is one") {
  CHECK(chat_of(with_config({{"responseMimeType", "application/json"}}))["response_format"]["type"] == "json_object");
  const Json by_schema =
      chat_of(with_config({{"responseMimeType", "application/json"},
                           {"responseSchema", {{"type", "ARRAY"}, {"items", {{"type", "STRING"}}}}}}));
  CHECK(by_schema["response_format"]["json_schema"]["schema"] ==
        Json({{"type", "array"}, {"items", {{"type", "string"}}}}));
  const Json raw = {{"type", "object"}, {"additionalProperties", false}};
  CHECK(chat_of(with_config({{"responseJsonSchema", raw}}))["response_format"]["json_schema"]["schema"] == raw);
  CHECK(!chat_of(with_config({{"responseMimeType", "text/plain"}})).contains("response_format"));
}

TEST_CASE("what no chat can serve is refused by name") {
  CHECK(refused_field(with({{"cachedContent", "cachedContents/1"}})) == "cachedContent");
  CHECK(refused_field(with_config({{"responseLogprobs", true}})) == "generationConfig.responseLogprobs");
  CHECK(refused_field(with_config({{"responseModalities", {"TEXT", "IMAGE"}}})) ==
        "generationConfig.responseModalities");
  CHECK(refused_field(with_config({{"speechConfig", Json::object()}})) == "generationConfig.speechConfig");
  CHECK(refused_field(with_config({{"responseMimeType", "text/x.enum"}})) == "generationConfig.responseMimeType");
  CHECK(refused_field(with_config({{"temperature", "hot"}})) == "generationConfig.temperature");
  CHECK(told(with_config({{"responseModalities", {"TEXT"}}})).ok());
}

}  // namespace nemo::test::gemini_request_test
