// A Messages request told as a chat: what goes over, in which order, and what is refused by name.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "daemon/protocol/hub_conversation.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/translate/anthropic.h"

namespace nemo::test::messages_surface_request_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using Json = nlohmann::json;

namespace {

Json ask(const Json& messages, const Json& more = Json::object()) {
  Json body = {{"model", "claude-x"}, {"max_tokens", 100}, {"messages", messages}};
  body.update(more);
  return body;
}

Json user(const Json& content) {
  return Json::array({{{"role", "user"}, {"content", content}}});
}

nemo::Result<std::string> tell(const std::string& bytes) {
  const auto body = RequestBody::parse(bytes);
  if (!body) return body.error();
  const auto spec = messages_form().parse(*body, {});
  if (!spec) return spec.error();
  return messages_form().hub->request(*body, *spec);
}

Json chat_of(const Json& body) {
  const auto told = tell(body.dump());
  if (!told) FAIL(told.error().message);
  return Json::parse(*told);
}

Json messages_of(const Json& messages) {
  return chat_of(ask(messages))["messages"];
}

// The field that is refused.
std::string refused(const Json& body) {
  const auto told = tell(body.dump());
  CAPTURE(body.dump());
  REQUIRE_FALSE(told.ok());
  CHECK(told.error().kind == ErrorKind::invalid_request);
  CHECK_FALSE(told.error().message.empty());
  return told.error().param;
}

Json text(const std::string& words) {
  return {{"type", "text"}, {"text", words}};
}

}  // namespace

TEST_CASE("what the daemon reads of a Messages request") {
  const Json body = ask(user("hello"), {{"stream", true},
                                        {"system", "be brief"},
                                        {"tools", {{{"name", "f"}, {"input_schema", Json::object()}}}},
                                        {"nemo_lane", "reasoning"},
                                        {"metadata", {{"user_id", "u"}, {"tags", {"a"}}}}});
  const auto read = RequestBody::parse(body.dump());
  REQUIRE(read.ok());
  const auto spec = messages_form().parse(*read, {});
  REQUIRE(spec.ok());
  CHECK(spec->surface == nemo::call::Surface::anthropic_messages);
  CHECK(spec->model == "claude-x");
  CHECK(spec->stream);
  CHECK(spec->has_tools);
  CHECK_FALSE(spec->wants_usage);
  CHECK(spec->max_tokens == 100);
  CHECK(spec->lane == "reasoning");
  CHECK(spec->tags == std::vector<std::string>{"a"});
  CHECK(spec->prompt_bytes ==
        body["messages"].dump().size() + body["system"].dump().size() + body["tools"].dump().size());
}

TEST_CASE("a request that cannot be one is refused by its field, and a body of another API is told its path") {
  Json body = ask(user("x"));
  const auto without = [&](const char* key) {
    Json less = body;
    less.erase(key);
    return less;
  };
  const auto with = [&](const char* key, const Json& value) {
    Json more = body;
    more[key] = value;
    return more;
  };
  CHECK(refused(without("messages")) == "messages");
  CHECK(refused(without("max_tokens")) == "max_tokens");
  CHECK(refused(with("max_tokens", "many")) == "max_tokens");
  CHECK(refused(with("max_tokens", -1)) == "max_tokens");
  CHECK(refused(with("messages", Json::array())) == "messages");
  CHECK(refused(with("messages", "x")) == "messages");
  CHECK(refused(with("model", 1)) == "model");
  CHECK(refused(with("stream", "yes")) == "stream");
  CHECK(refused(with("system", 1)) == "system");
  CHECK(refused(with("tools", 1)) == "tools");
  for (const auto& [field, path] : std::vector<std::pair<std::string, std::string>>{
           {"input", "/v1/responses"}, {"prompt", "/v1/completions"}, {"contents", ":generateContent"}}) {
    const auto told = tell(Json{{"model", "m"}, {field, "x"}}.dump());
    REQUIRE_FALSE(told.ok());
    CHECK(told.error().message.find(path) != std::string::npos);
  }
  const auto chat = tell(R"({"messages":[{"role":"user","content":"x"}],"max_completion_tokens":5})");
  REQUIRE_FALSE(chat.ok());
  CHECK(chat.error().message.find("/v1/chat/completions") != std::string::npos);
}

TEST_CASE("system text, system blocks and system turns keep their place and their cache marks") {
  const Json cached = {{"type", "text"}, {"text", "two"}, {"cache_control", {{"type", "ephemeral"}}}};
  const Json turns = Json::array({{{"role", "user"}, {"content", "a"}},
                                  {{"role", "system"}, {"content", Json::array({text("in the middle")})}},
                                  {{"role", "user"}, {"content", "b"}}});
  Json chat = chat_of(ask(turns, {{"system", "one"}}))["messages"];
  REQUIRE(chat.size() == 4);
  CHECK(chat[0] == Json{{"role", "system"}, {"content", "one"}});
  CHECK(chat[2] == Json{{"role", "system"}, {"content", "in the middle"}});
  CHECK(chat[3] == Json{{"role", "user"}, {"content", "b"}});
  chat = chat_of(ask(turns, {{"system", Json::array({text("one"), cached})}}))["messages"];
  CHECK(chat[0] == Json{{"role", "system"}, {"content", Json::array({text("one"), cached})}});
  chat = chat_of(ask(turns, {{"system", Json::array({text("one")})}}))["messages"];
  CHECK(chat[0]["content"] == "one");
}

TEST_CASE("images go over as URLs, their bytes in a data URL") {
  const Json chat = messages_of(user(Json::array(
      {text("what is it?"),
       {{"type", "image"}, {"source", {{"type", "base64"}, {"media_type", "image/png"}, {"data", "iVBO/w=="}}}},
       {{"type", "image"},
        {"source", {{"type", "url"}, {"url", "https://example.com/a.png"}}},
        {"cache_control", {{"type", "ephemeral"}}}}})));
  const Json& parts = chat[0]["content"];
  REQUIRE(parts.size() == 3);
  CHECK(parts[0] == text("what is it?"));
  CHECK(parts[1] == Json{{"type", "image_url"}, {"image_url", {{"url", "data:image/png;base64,iVBO/w=="}}}});
  CHECK(parts[2]["image_url"]["url"] == "https://example.com/a.png");
  CHECK(parts[2]["cache_control"]["type"] == "ephemeral");
}

TEST_CASE("tool results become messages of their own, in order, before what the user says; images follow them") {
  const Json picture = {{"type", "image"},
                        {"source", {{"type", "base64"}, {"media_type", "image/png"}, {"data", "AAAA"}}}};
  const Json chat = messages_of(Json::array(
      {{{"role", "user"}, {"content", "go"}},
       {{"role", "assistant"},
        {"content", Json::array({text("I will."),
                                 {{"type", "tool_use"}, {"id", "t1"}, {"name", "f"}, {"input", {{"a", 1}}}},
                                 {{"type", "tool_use"}, {"id", "t2"}, {"name", "g"}, {"input", Json::object()}}})}},
       {{"role", "user"},
        {"content", Json::array({text("and now?"),
                                 {{"type", "tool_result"}, {"tool_use_id", "t1"}, {"content", "one"}},
                                 {{"type", "tool_result"},
                                  {"tool_use_id", "t2"},
                                  {"is_error", true},
                                  {"content", Json::array({text("two"), picture})}},
                                 {{"type", "tool_result"}, {"tool_use_id", "t3"}, {"content", Json::array({picture})}},
                                 {{"type", "tool_result"}, {"tool_use_id", "t4"}, {"is_error", true}},
                                 {{"type", "tool_result"}, {"tool_use_id", "t5"}}})}}}));
  REQUIRE(chat.size() == 8);
  CHECK(chat[1]["content"] == "I will.");
  REQUIRE(chat[1]["tool_calls"].size() == 2);
  CHECK(chat[1]["tool_calls"][0] ==
        Json{{"id", "t1"}, {"type", "function"}, {"function", {{"name", "f"}, {"arguments", "{\"a\":1}"}}}});
  CHECK(chat[1]["tool_calls"][1]["function"]["arguments"] == "{}");
  CHECK(chat[2] == Json{{"role", "tool"}, {"tool_call_id", "t1"}, {"content", "one"}});
  CHECK(chat[3] == Json{{"role", "tool"}, {"tool_call_id", "t2"}, {"content", "The tool call failed: two"}});
  CHECK(chat[4]["tool_call_id"] == "t3");
  CHECK_FALSE(chat[4]["content"].get<std::string>().empty());
  CHECK(chat[5]["content"] == "The tool call failed.");
  CHECK(chat[6] == Json{{"role", "tool"}, {"tool_call_id", "t5"}, {"content", ""}});
  CHECK(chat[7]["role"] == "user");
  const Json& parts = chat[7]["content"];
  REQUIRE(parts.size() == 5);
  CHECK(parts[0]["text"] == "The image of the tool result t2:");
  CHECK(parts[1]["image_url"]["url"] == "data:image/png;base64,AAAA");
  CHECK(parts[2]["text"] == "The image of the tool result t3:");
  CHECK(parts[4] == text("and now?"));
}

TEST_CASE("thinking goes back as it came: signed as thinking_blocks, all of it as reasoning_content") {
  const Json chat = messages_of(Json::array(
      {{{"role", "user"}, {"content", "go"}},
       {{"role", "assistant"},
        {"content", Json::array({{{"type", "thinking"}, {"thinking", "hm "}, {"signature", "s1"}},
                                 {{"type", "redacted_thinking"}, {"data", "xx"}},
                                 {{"type", "thinking"}, {"thinking", "ah"}, {"signature", ""}},
                                 {{"type", "tool_use"}, {"id", "t"}, {"name", "f"}, {"input", Json::object()}}})}}}));
  const Json& message = chat[1];
  CHECK(message["content"].is_null());
  CHECK(message["reasoning_content"] == "hm ah");
  REQUIRE(message["thinking_blocks"].size() == 2);
  CHECK(message["thinking_blocks"][0] == Json{{"type", "thinking"}, {"thinking", "hm "}, {"signature", "s1"}});
  CHECK(message["thinking_blocks"][1] == Json{{"type", "redacted_thinking"}, {"data", "xx"}});
}

TEST_CASE("texts of an assistant are one text, blocks of a user stay apart, and nothing empty is sent") {
  const Json chat = messages_of(Json::array({{{"role", "user"}, {"content", Json::array({text("a"), text("b")})}},
                                             {{"role", "assistant"}, {"content", Json::array({text("c"), text("d")})}},
                                             {{"role", "user"}, {"content", Json::array()}},
                                             {{"role", "assistant"}, {"content", Json::array()}}}));
  REQUIRE(chat.size() == 2);
  CHECK(chat[0]["content"] == Json::array({text("a"), text("b")}));
  CHECK(chat[1]["content"] == "cd");
  CHECK(refused(ask(user(Json::array()))) == "messages");
}

TEST_CASE("documents of text go over as text") {
  const Json chat = messages_of(user(Json::array(
      {{{"type", "document"},
        {"source", {{"type", "text"}, {"media_type", "text/plain"}, {"data", "plain"}}},
        {"title", "t"}},
       {{"type", "document"}, {"source", {{"type", "content"}, {"content", Json::array({text("a"), text("b")})}}}},
       {{"type", "document"}, {"source", {{"type", "content"}, {"content", "c"}}}}})));
  CHECK(chat[0]["content"] == Json::array({text("plain"), text("a"), text("b"), text("c")}));
}

TEST_CASE("tools become functions, and the choice among them keeps its meaning") {
  const Json schema = {{"type", "object"}, {"properties", {{"city", {{"type", "string"}}}}}};
  const Json tools = Json::array({{{"name", "weather"},
                                   {"description", "?"},
                                   {"input_schema", schema},
                                   {"cache_control", {{"type", "ephemeral"}}}},
                                  {{"type", "custom"}, {"name", "f"}, {"input_schema", schema}, {"strict", true}}});
  const auto chat = [&](const Json& choice) {
    return chat_of(ask(user("x"), {{"tools", tools}, {"tool_choice", choice}}));
  };
  const Json plain = chat(nullptr);
  CHECK_FALSE(plain.contains("tool_choice"));
  REQUIRE(plain["tools"].size() == 2);
  CHECK(plain["tools"][0] == Json{{"type", "function"},
                                  {"function", {{"name", "weather"}, {"description", "?"}, {"parameters", schema}}},
                                  {"cache_control", {{"type", "ephemeral"}}}});
  CHECK(plain["tools"][1] == Json{{"type", "function"}, {"function", {{"name", "f"}, {"parameters", schema}}}});
  CHECK(chat({{"type", "auto"}})["tool_choice"] == "auto");
  CHECK(chat({{"type", "any"}})["tool_choice"] == "required");
  CHECK(chat({{"type", "none"}})["tool_choice"] == "none");
  CHECK(chat({{"type", "tool"}, {"name", "f"}})["tool_choice"] ==
        Json{{"type", "function"}, {"function", {{"name", "f"}}}});
  CHECK(chat({{"type", "auto"}, {"disable_parallel_tool_use", true}})["parallel_tool_calls"] == false);
  CHECK_FALSE(chat({{"type", "auto"}}).contains("parallel_tool_calls"));
  CHECK_FALSE(
      chat_of(ask(user("x"), {{"tools", Json::array()}, {"tool_choice", {{"type", "any"}}}})).contains("tools"));
}

TEST_CASE("the numbers of a request go over as they stand, and what only Anthropic knows stays behind") {
  const Json body = ask(user("x"), {{"temperature", 0.5},
                                    {"top_p", 0.9},
                                    {"top_k", 40},
                                    {"stop_sequences", {"a", "\n"}},
                                    {"stream", true},
                                    {"metadata", {{"user_id", "someone"}}},
                                    {"context_management", {{"edits", Json::array()}}},
                                    {"service_tier", "auto"},
                                    {"betas", {"x"}},
                                    {"nemo_lane", "reasoning"}});
  CHECK(chat_of(body) == Json{{"model", "claude-x"},
                              {"messages", user("x")},
                              {"max_tokens", 100},
                              {"temperature", 0.5},
                              {"top_p", 0.9},
                              {"top_k", 40},
                              {"stop", {"a", "\n"}},
                              {"user", "someone"},
                              {"stream", true},
                              {"nemo_lane", "reasoning"}});
  const std::string long_id(65, 'u');
  CHECK_FALSE(chat_of(ask(user("x"), {{"metadata", {{"user_id", long_id}}}})).contains("user"));
  CHECK(chat_of(ask(user("x"), {{"max_tokens", 0}}))["max_tokens"] == 1);
}

TEST_CASE("thinking is an effort, by its budget or by its level") {
  const auto effort = [](const Json& more) { return chat_of(ask(user("x"), more)).value("reasoning_effort", ""); };
  const auto budget = [&](int tokens) {
    return effort({{"thinking", {{"type", "enabled"}, {"budget_tokens", tokens}}}});
  };
  CHECK(budget(1024) == "low");
  CHECK(budget(8192) == "medium");
  CHECK(budget(31999) == "high");
  CHECK(effort({{"thinking", {{"type", "adaptive"}}}}) == "medium");
  CHECK(effort({{"thinking", {{"type", "adaptive"}}}, {"output_config", {{"effort", "low"}}}}) == "low");
  CHECK(effort({{"output_config", {{"effort", "max"}}}}) == "high");
  CHECK(effort({{"thinking", {{"type", "disabled"}}}, {"output_config", {{"effort", "high"}}}}).empty());
  CHECK(effort(Json::object()).empty());
  CHECK(refused(ask(user("x"), {{"thinking", {{"type", "enabled"}}}})) == "thinking.budget_tokens");
  CHECK(refused(ask(user("x"), {{"thinking", {{"type", "odd"}}}})) == "thinking.type");
}

TEST_CASE("an answer's schema goes over as a response format") {
  const Json format = {{"type", "json_schema"}, {"schema", {{"type", "object"}}}};
  for (const Json& more : {Json{{"output_config", {{"format", format}}}}, Json{{"output_format", format}}}) {
    CHECK(chat_of(ask(user("x"), more))["response_format"] ==
          Json{{"type", "json_schema"}, {"json_schema", {{"name", "answer"}, {"schema", {{"type", "object"}}}}}});
  }
}

TEST_CASE("what only Anthropic's servers can do is refused by the name of its field") {
  const auto block = [](const Json& one) { return ask(user(Json::array({text("x"), one}))); };
  CHECK(refused(ask(user("x"), {{"tools", {{{"type", "web_search_20250305"}, {"name", "web_search"}}}}})) ==
        "tools[0].type");
  CHECK(refused(ask(user("x"), {{"tools", {{{"type", "computer_20250124"}, {"name", "computer"}}}}})) ==
        "tools[0].type");
  CHECK(refused(ask(user("x"), {{"tools", {{{"type", "function"}, {"function", {{"name", "f"}}}}}}})) ==
        "tools[0].function");
  CHECK(refused(ask(user("x"), {{"mcp_servers", {{{"type", "url"}}}}})) == "mcp_servers");
  CHECK(refused(ask(user("x"), {{"container", "c"}})) == "container");
  CHECK(refused(block({{"type", "document"},
                       {"source", {{"type", "base64"}, {"media_type", "application/pdf"}, {"data", "AAAA"}}}})) ==
        "messages[0].content[1].source.type");
  CHECK(refused(block({{"type", "image"}, {"source", {{"type", "file"}, {"file_id", "f"}}}})) ==
        "messages[0].content[1].source.type");
  CHECK(refused(block({{"type", "server_tool_use"}})) == "messages[0].content[1].type");
  CHECK(refused(block({{"type", "tool_use"}, {"id", "t"}, {"name", "f"}})) == "messages[0].content[1].type");
  CHECK(refused(block("x")) == "messages[0].content[1]");
  CHECK(refused(block({{"type", "tool_result"}})) == "messages[0].content[1].tool_use_id");
  CHECK(refused(ask(Json::array({{{"role", "tool"}, {"content", "x"}}}))) == "messages[0].role");
  CHECK(refused(ask(user("x"), {{"system", Json::array({{{"type", "image"}}})}})) == "system[0].type");
  CHECK(refused(ask(user(nullptr))) == "messages[0].content");
  CHECK(refused(ask(user("x"), {{"tools", {{{"name", "f"}}}}, {"tool_choice", {{"type", "odd"}}}})) == "tool_choice");
  CHECK(refused(ask(user("x"), {{"stop_sequences", "x"}})) == "stop_sequences");
  CHECK(refused(ask(user("x"), {{"temperature", "hot"}})) == "temperature");
}

TEST_CASE("a request in its hub's form is a chat that states its usage") {
  const auto body = RequestBody::parse(ask(user("x"), {{"stream", true}}).dump());
  REQUIRE(body.ok());
  const auto spec = messages_form().parse(*body, {});
  REQUIRE(spec.ok());
  const auto told = tell_in_hub(messages_form(), *body, *spec);
  REQUIRE(told.ok());
  CHECK(told->spec.surface == nemo::call::Surface::openai_chat);
  CHECK(told->spec.wants_usage);
  CHECK(told->spec.stream);
  CHECK(told->spec.max_tokens == 100);
}

TEST_CASE("a Messages request told as a chat, and that chat told as Messages again, says the same") {
  std::mt19937 dice(7);
  const auto roll = [&](unsigned most) { return dice() % (most + 1); };
  const auto words = [&] {
    static const std::vector<std::string> k_pieces{"a", "\n", "\"", "\\", "é", "😀", "\t", "{}", "\x01", "\\u00", "B c"};
    std::string out = "x";
    for (unsigned i = roll(6); i > 0; --i) out += k_pieces[roll(10)];
    return out + ".";
  };
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    Json turns = Json::array({{{"role", "user"}, {"content", Json::array({text(words())})}}});
    for (unsigned turn = roll(3); turn > 0; --turn) {
      Json said = Json::array();
      Json answered = Json::array();
      if (roll(1) == 1) said.push_back({{"type", "thinking"}, {"thinking", words()}, {"signature", "s" + words()}});
      if (roll(3) == 0) said.push_back({{"type", "redacted_thinking"}, {"data", words()}});
      said.push_back(text(words()));
      for (unsigned i = roll(3); i > 0; --i) {
        const std::string id = "toolu_" + std::to_string(turn) + "_" + std::to_string(i);
        said.push_back(
            {{"type", "tool_use"}, {"id", id}, {"name", "f"}, {"input", {{words(), Json::array({words(), 1})}}}});
        answered.push_back({{"type", "tool_result"}, {"tool_use_id", id}, {"content", Json::array({text(words())})}});
      }
      answered.push_back(text(words()));
      turns.push_back({{"role", "assistant"}, {"content", said}});
      turns.push_back({{"role", "user"}, {"content", answered}});
    }
    const Json body = ask(turns, {{"system", Json::array({text(words())})}});
    const auto chat = RequestBody::parse(chat_of(body).dump());
    REQUIRE(chat.ok());
    const auto spec = parse_chat(*chat);
    REQUIRE(spec.ok());
    const auto back = chat_request_to_messages(*chat, *spec, "claude-x", MessagesFor::anthropic, {}, 0);
    if (!back) FAIL(back.error().message);
    const Json again = Json::parse(*back);
    CHECK(again["messages"] == turns);
    CHECK(again["system"] == body["system"]);
    CHECK(again["max_tokens"] == 100);
  }
}

}  // namespace nemo::test::messages_surface_request_test
