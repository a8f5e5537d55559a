// What holds for any conversation in Gemini's words: it means the same as a chat, and any chat's answer means the same
// in Gemini's words, whole and however its stream is cut.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/protocol/openai.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/stream/sse_scanner.h"
#include "dice.h"
#include "sanitizer.h"

namespace nemo::test::gemini_property_test {

using namespace nemo::protocol;
using Json = nlohmann::json;

namespace {

constexpr unsigned k_rounds = k_is_sanitized ? 200 : 1'000;

struct Call {
  std::string id;  // empty: the client was given none
  std::string name;
  Json args;
  Json result;
};

// A turn of calls: what Gemini's client sends, and what the chat must say.
void add_calls(Dice& dice, int number, Json& contents, std::vector<Call>& calls) {
  Json asked = Json::array();
  Json answered = Json::array();
  for (int i = 0; i <= dice.roll(2); ++i) {
    Call call{dice.coin() ? "id-" + std::to_string(number) + "-" + std::to_string(i) : "", "f" + std::to_string(i),
              dice.object(2), dice.object(1)};
    Json made = {{"name", call.name}, {"args", call.args}};
    Json response = {{"name", call.name}, {"response", {{"value", call.result}}}};
    if (!call.id.empty()) made["id"] = response["id"] = call.id;
    asked.push_back({{"functionCall", made}});
    answered.push_back({{"functionResponse", response}});
    calls.push_back(std::move(call));
  }
  contents.push_back({{"role", "model"}, {"parts", asked}});
  contents.push_back({{"role", "user"}, {"parts", answered}});
}

void check_conversation(unsigned seed) {
  CAPTURE(seed);
  Dice dice(seed);
  Json contents = Json::array();
  std::vector<Call> calls;
  std::vector<std::string> texts;
  for (int turn = 0; turn <= dice.roll(4); ++turn) {
    texts.push_back(dice.text());
    contents.push_back({{"role", "user"}, {"parts", {{{"text", texts.back()}}}}});
    if (dice.coin()) add_calls(dice, turn, contents, calls);
    texts.push_back(dice.text());
    contents.push_back({{"role", "model"}, {"parts", {{{"text", texts.back()}}}}});
  }
  const auto body = RequestBody::parse(Json{{"contents", contents}}.dump());
  REQUIRE(body.ok());
  const auto spec = gemini_form().parse(*body, {"m", false});
  REQUIRE(spec.ok());
  const auto chat = gemini_form().hub->request(*body, *spec);
  REQUIRE(chat.ok());
  std::size_t text = 0;
  std::size_t call = 0;
  std::size_t result = 0;
  std::vector<std::string> ids;
  const Json told = Json::parse(*chat);
  for (const Json& message : told["messages"]) {
    if (message["role"] == "tool") {
      REQUIRE(result < calls.size());
      CHECK(message["tool_call_id"] == ids[result]);
      CHECK(Json::parse(message["content"].get<std::string>())["value"] == calls[result++].result);
      continue;
    }
    if (!message["content"].is_null()) CHECK(message["content"] == texts[text++]);
    if (!message.contains("tool_calls")) continue;
    for (const Json& one : message["tool_calls"]) {
      REQUIRE(call < calls.size());
      CHECK(one["function"]["name"] == calls[call].name);
      CHECK(Json::parse(one["function"]["arguments"].get<std::string>()) == calls[call].args);
      if (!calls[call].id.empty()) CHECK(one["id"] == calls[call].id);
      ids.push_back(one["id"]);
      ++call;
    }
  }
  CHECK(text == texts.size());
  CHECK(call == calls.size());
  CHECK(result == calls.size());
}

struct Answer {
  std::string text;
  Json calls = Json::array();
  std::string reason;
  Json usage;
};

Answer roll_answer(Dice& dice) {
  Answer answer;
  for (int i = dice.roll(5); i > 0; --i) answer.text += dice.text();
  for (int i = dice.roll(3); i > 0; --i) {
    answer.calls.push_back(
        {{"id", "c" + std::to_string(i)}, {"name", "f" + std::to_string(i)}, {"args", dice.object(2)}});
  }
  answer.reason = !answer.calls.empty() ? "tool_calls" : dice.coin() ? "stop" : "length";
  const int input = dice.roll(5000);
  const int output = dice.roll(900);
  answer.usage = {{"prompt_tokens", input}, {"completion_tokens", output}, {"total_tokens", input + output}};
  return answer;
}

Json delta(const Json& fields, const Json& reason = nullptr) {
  return {{"id", "x"}, {"choices", {{{"index", 0}, {"delta", fields}, {"finish_reason", reason}}}}};
}

// In UTF-8 characters, some of them written as halves of surrogate pairs over two events.
std::string stream_of(Dice& dice, const Answer& answer) {
  std::string out;
  const auto add = [&](const Json& json) { out += "data: " + json.dump() + "\n\n"; };
  add(delta({{"role", "assistant"}, {"content", ""}}));
  const std::string escaped = Json(answer.text).dump(-1, ' ', true);
  const std::string inside = escaped.substr(1, escaped.size() - 2);
  for (std::size_t at = 0; at < inside.size();) {
    std::size_t length = inside[at] == '\\' ? (inside[at + 1] == 'u' ? 6 : 2) : 1;
    if (dice.coin() && at + length < inside.size() && inside[at + length] != '\\') ++length;
    out += R"(data: {"choices":[{"index":0,"delta":{"content":")" + inside.substr(at, length) + "\"}}]}\n\n";
    at += length;
  }
  int index = 0;
  for (const Json& call : answer.calls) {
    add(delta({{"tool_calls",
                {{{"index", index}, {"id", call["id"]}, {"function", {{"name", call["name"]}, {"arguments", ""}}}}}}}));
    const std::string arguments = call["args"].dump(-1, ' ', true);
    for (std::size_t at = 0; at < arguments.size(); at += 5) {
      add(delta({{"tool_calls", {{{"index", index}, {"function", {{"arguments", arguments.substr(at, 5)}}}}}}}));
    }
    ++index;
  }
  add(delta(Json::object(), answer.reason));
  add({{"choices", Json::array()}, {"usage", answer.usage}});
  return out + "data: [DONE]\n\n";
}

// The text is put together as it stands between its quotes: a character may be cut in two.
void check_told(const Answer& answer, const std::string& raw_text, const Json& calls, const Json& last) {
  CHECK(Json::parse("\"" + raw_text + "\"") == answer.text);
  CHECK(calls == answer.calls);
  CHECK(last["candidates"][0]["finishReason"] == (answer.reason == "length" ? "MAX_TOKENS" : "STOP"));
  CHECK(last["usageMetadata"]["promptTokenCount"] == answer.usage["prompt_tokens"]);
  CHECK(last["usageMetadata"]["candidatesTokenCount"] == answer.usage["completion_tokens"]);
}

std::string raw_texts(const std::string& event) {
  constexpr std::string_view k_open = "{\"text\":\"";
  std::string text;
  for (auto at = event.find(k_open); at != std::string::npos; at = event.find(k_open, at)) {
    at += k_open.size();
    std::size_t end = at;
    while (event[end] != '"') end += event[end] == '\\' ? 2 : 1;
    text += event.substr(at, end - at);
    at = end;
  }
  return text;
}

Json calls_in(const Json& response) {
  Json calls = Json::array();
  for (const Json& part : response["candidates"][0]["content"]["parts"]) {
    if (part.contains("functionCall")) calls.push_back(part["functionCall"]);
  }
  return calls;
}

// The data of each event.
std::vector<std::string> translated(const std::string& stream, const Telling& telling) {
  const auto translator = gemini_form().hub->translator(telling);
  nemo::stream::SseScanner scanner;
  scanner.feed(stream);
  std::string out;
  while (const auto event = scanner.next()) translator->translate(*event, out);
  translator->finish(out);
  nemo::stream::SseScanner again;
  again.feed(out);
  std::vector<std::string> events;
  while (const auto event = again.next()) events.emplace_back(event->data);
  REQUIRE(!events.empty());
  return events;
}

void check_answer(unsigned seed) {
  CAPTURE(seed);
  Dice dice(seed);
  const Answer answer = roll_answer(dice);
  const auto body = RequestBody::parse(R"({"contents":{"parts":{"text":"x"}}})");
  const auto spec = gemini_form().parse(*body, {"m", true});
  const Telling telling{*body, *spec, {}, "m"};

  const std::vector<std::string> events = translated(stream_of(dice, answer), telling);
  std::string texts;
  for (std::size_t i = 0; i + 1 < events.size(); ++i) texts += raw_texts(events[i]);
  const Json last = Json::parse(events.back());
  check_told(answer, texts, calls_in(last), last);

  Json message = {{"role", "assistant"}, {"content", answer.text}};
  for (const Json& call : answer.calls) {
    message["tool_calls"].push_back({{"id", call["id"]},
                                     {"type", "function"},
                                     {"function", {{"name", call["name"]}, {"arguments", call["args"].dump(2)}}}});
  }
  const Json chat = {{"choices", {{{"index", 0}, {"message", message}, {"finish_reason", answer.reason}}}},
                     {"usage", answer.usage}};
  const auto whole = gemini_form().hub->answer(chat.dump(), telling);
  REQUIRE(whole.ok());
  CHECK(whole->find('\n') == std::string::npos);
  const Json told = Json::parse(*whole);
  const Json parts = told["candidates"][0]["content"]["parts"];
  const std::string text = parts[0].contains("text") ? parts[0]["text"].get<std::string>() : "";
  CHECK(text == answer.text);
  check_told(answer, texts, calls_in(told), told);
}

}  // namespace

TEST_CASE("any conversation keeps its texts, calls, arguments, results, their pairs and their order") {
  for (unsigned seed = 0; seed < k_rounds; ++seed) check_conversation(seed);
}

TEST_CASE("any answer keeps its text, calls, reason and usage, streamed and whole") {
  for (unsigned seed = 0; seed < k_rounds / 2; ++seed) check_answer(seed);
}

}  // namespace nemo::test::gemini_property_test
