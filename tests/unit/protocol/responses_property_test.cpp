// Random answers of a chat model, through Responses and back: what was said, called and counted survives.
#include <random>

#include "responses_told.h"
#include "sanitizer.h"

namespace nemo::test::responses_property_test {

using namespace nemo::protocol;

namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : m_random(seed) {}
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(m_random); }
  bool one_in(std::size_t n) { return below(n) == 0; }

  std::string text(std::size_t longest) {
    static const std::vector<std::string> k_pieces{"a",    " ",      "\n", "\"", "\\",         "\\u0041",      "{",
                                                   "}",    "\t",     "é",  "日", "\U0001F600", "data: [DONE]", "\r\n",
                                                   "\x01", "\\\\\"", "/",  ":",  ",",          "<|end|>",      "\x7f"};
    std::string all;
    for (std::size_t i = below(longest); i > 0; --i) all += k_pieces[below(k_pieces.size())];
    return all;
  }

  // Cut into pieces at characters, some of them empty.
  std::vector<std::string> pieces(const std::string& whole) {
    std::vector<std::string> all;
    std::size_t at = 0;
    while (at < whole.size()) {
      if (one_in(8)) all.emplace_back();
      std::size_t end = std::min(whole.size(), at + 1 + below(5));
      while (end < whole.size() && (static_cast<unsigned char>(whole[end]) & 0xC0U) == 0x80U) ++end;
      all.push_back(whole.substr(at, end - at));
      at = end;
    }
    return all;
  }

 private:
  std::mt19937 m_random;
};

const Json k_request{{"model", "m"},
                     {"input", "x"},
                     {"stream", true},
                     {"tools",
                      {{{"type", "function"}, {"name", "f"}},
                       {{"type", "custom"}, {"name", "p"}},
                       {{"type", "namespace"}, {"name", "n"}, {"tools", {{{"type", "function"}, {"name", "g"}}}}}}}};

struct Answer {
  Json message;
  std::string finish;
  Json usage;
};

Answer random_answer(Dice& dice) {
  Answer answer;
  answer.message = {{"role", "assistant"}, {"content", nullptr}};
  if (dice.one_in(2)) answer.message["reasoning_content"] = "r" + dice.text(20);
  const std::size_t calls = dice.one_in(2) ? 1 + dice.below(4) : 0;
  if (calls == 0 || dice.one_in(2)) answer.message["content"] = "t" + dice.text(40);
  for (std::size_t i = 0; i < calls; ++i) {
    const std::size_t which = dice.below(3);
    const std::string text = dice.text(dice.one_in(20) ? 4'000 : 30);
    const Json arguments = which == 1 ? Json{{"input", text}} : Json{{"a", text}, {"b", {1, nullptr, true}}};
    const char* name = which == 0 ? "f" : which == 1 ? "p" : "n__g";
    answer.message["tool_calls"].push_back(
        {{"id", "call_" + std::to_string(i)},
         {"type", "function"},
         {"function", {{"name", name}, {"arguments", arguments.dump(-1, ' ', dice.one_in(2))}}}});
  }
  answer.finish = calls != 0 ? "tool_calls" : dice.one_in(4) ? "length" : "stop";
  const int input = static_cast<int>(dice.below(1'000));
  const int output = static_cast<int>(dice.below(1'000));
  answer.usage = {{"prompt_tokens", input}, {"completion_tokens", output}, {"total_tokens", input + output}};
  return answer;
}

std::string event_of(Dice& dice, const Json& chunk) {
  return "data: " + chunk.dump(-1, ' ', dice.one_in(2)) + (dice.one_in(3) ? "\r\n\r\n" : "\n\n");
}

std::string stream_of_answer(Dice& dice, const Answer& answer) {
  std::string out = event_of(dice, chat_delta({{"role", "assistant"}, {"content", ""}}));
  const auto say = [&](const char* field) {
    if (!answer.message.contains(field) || answer.message[field].is_null()) return;
    for (const std::string& piece : dice.pieces(answer.message[field])) {
      out += event_of(dice, chat_delta({{field, piece}}));
    }
  };
  say("reasoning_content");
  say("content");
  // The pieces of all calls, in turns.
  std::vector<std::vector<std::string>> rests;
  for (const Json& call : answer.message.value("tool_calls", Json::array())) {
    const int index = static_cast<int>(rests.size());
    out += event_of(dice, chat_tool(index, call["id"], call["function"]["name"], ""));
    rests.push_back(dice.pieces(call["function"]["arguments"]));
    std::reverse(rests.back().begin(), rests.back().end());
  }
  for (bool left = true; left;) {
    left = false;
    for (std::size_t i = 0; i < rests.size(); ++i) {
      if (rests[i].empty()) continue;
      left = true;
      if (dice.one_in(2)) continue;
      out += event_of(dice, chat_tool(static_cast<int>(i), "", "", rests[i].back()));
      rests[i].pop_back();
    }
  }
  out += event_of(dice, chat_delta(Json::object(), answer.finish));
  out += event_of(dice, {{"choices", Json::array()}, {"usage", answer.usage}});
  return out + k_done;
}

// Ids are new each time; packed thoughts have upstream's own escapes, and are compared as they come back.
Json comparable(Json response) {
  response.erase("id");
  for (Json& item : response["output"]) {
    item.erase("id");
    item.erase("encrypted_content");
  }
  return response;
}

// The assistant's message of the next request, when the client sends back all that it got.
Json sent_back(const Json& response) {
  Json items = Json::array({{{"role", "user"}, {"content", "x"}}});
  for (const Json& item : response["output"]) items.push_back(item);
  for (const Json& item : response["output"]) {
    if (!item.contains("call_id")) continue;
    items.push_back(
        {{"type", item["type"].get<std::string>() + "_output"}, {"call_id", item["call_id"]}, {"output", "o"}});
  }
  const ToldCall next = ToldCall::make({{"model", "m"}, {"input", items}});
  const auto told = ToldCall::form().request(next.body, next.spec);
  REQUIRE(told.ok());
  return Json::parse(*told)["messages"].at(1);
}

void check_same(const Json& message, Json back) {
  CHECK(back["content"] == message["content"]);
  CHECK(back.value("reasoning_content", "") == message.value("reasoning_content", ""));
  const Json calls = message.value("tool_calls", Json::array());
  REQUIRE(back.value("tool_calls", Json::array()).size() == calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Json given = back["tool_calls"][i];
    CHECK(given["id"] == calls[i]["id"]);
    CHECK(given["function"]["name"] == calls[i]["function"]["name"]);
    CHECK(Json::parse(given["function"]["arguments"].get<std::string>()) ==
          Json::parse(calls[i]["function"]["arguments"].get<std::string>()));
  }
}

}  // namespace

TEST_CASE("whatever a chat model answers survives the way through a response and back, streamed and whole") {
  const ToldCall call = ToldCall::make(k_request);
  for (unsigned seed = 0; seed < (k_is_sanitized ? 60U : 300U); ++seed) {
    CAPTURE(seed);
    Dice dice(seed);
    const Answer answer = random_answer(dice);
    const Json whole =
        call.answer({{"choices", {{{"index", 0}, {"message", answer.message}, {"finish_reason", answer.finish}}}},
                     {"usage", answer.usage}});
    const std::vector<Json> events = read_events(stream_of(call, stream_of_answer(dice, answer)));
    const Json streamed = events.back()["response"];
    CHECK(comparable(streamed) == comparable(whole));
    CHECK(whole["status"] == (answer.finish == "length" ? "incomplete" : "completed"));
    CHECK(whole["usage"]["output_tokens"] == answer.usage["completion_tokens"]);
    check_same(answer.message, sent_back(whole));
    check_same(answer.message, sent_back(streamed));
    for (std::size_t i = 0; i < streamed["output"].size(); ++i) {
      const Json& item = streamed["output"][i];
      const int place = static_cast<int>(i);
      if (item["type"] == "message") {
        CHECK(joined(events, "response.output_text.delta", place) == item["content"][0]["text"]);
      } else if (item["type"] == "function_call") {
        CHECK(joined(events, "response.function_call_arguments.delta", place) == item["arguments"]);
      }
    }
  }
}

}  // namespace nemo::test::responses_property_test
