// OpenAI's answers and events as Ollama tells them.
#include "ollama_talk.h"

namespace nemo::test::ollama_answer_test {

using namespace nemo;
using namespace nemo::test;
using call::Surface;

namespace {

OllamaTalk chat(Json fields = Json::object()) {
  fields["messages"] = Json::array({{{"role", "user"}, {"content", "hi"}}});
  return OllamaTalk(Surface::ollama_chat, fields);
}

OllamaTalk generate() {
  return OllamaTalk(Surface::ollama_generate, {{"prompt", "x"}});
}

Json answer_of(const Json& message, const std::string& finish_reason) {
  return {{"choices", Json::array({{{"index", 0}, {"message", message}, {"finish_reason", finish_reason}}})},
          {"usage", {{"prompt_tokens", 5}, {"completion_tokens", 7}, {"total_tokens", 12}}}};
}

Json piece(int index, const std::string& arguments, const Json& id = nullptr, const Json& name = nullptr) {
  Json call{{"index", index}, {"function", {{"arguments", arguments}}}};
  if (!id.is_null()) call["id"] = id;
  if (!name.is_null()) call["function"]["name"] = name;
  return {{"tool_calls", Json::array({call})}};
}

void check_end(const Json& end) {
  CHECK(end["done"] == true);
  CHECK(end["model"] == "gemini-2.5-flash");
  CHECK(end["load_duration"] == 0);
  CHECK(end["prompt_eval_count"] == 5);
  CHECK(end["eval_count"] == 7);
  CHECK(end["total_duration"].get<std::int64_t>() > 1'000'000'000'000'000'000);
  CHECK(end["total_duration"] ==
        end["prompt_eval_duration"].get<std::int64_t>() + end["eval_duration"].get<std::int64_t>());
  CHECK(end["eval_duration"].get<std::int64_t>() >= 1);
}

bool is_time(const Json& text) {
  const std::string at = text.get<std::string>();
  return at.size() == 24 && at[10] == 'T' && at.back() == 'Z';
}

}  // namespace

TEST_CASE("a whole chat answer has Ollama's message, reason, counts and durations") {
  const Json told = chat().answer(answer_of({{"role", "assistant"}, {"content", "h\u00e9llo\n\"you\""}}, "stop"));
  CHECK(told["message"] == Json{{"role", "assistant"}, {"content", "h\u00e9llo\n\"you\""}});
  CHECK(told["done_reason"] == "stop");
  CHECK(is_time(told["created_at"]));
  check_end(told);
}

TEST_CASE("a whole completion stands in response") {
  const Json hub{{"choices", Json::array({{{"index", 0}, {"text", "x + 1"}, {"finish_reason", "length"}}})},
                 {"usage", {{"prompt_tokens", 5}, {"completion_tokens", 7}, {"total_tokens", 12}}}};
  const Json told = generate().answer(hub);
  CHECK(told["response"] == "x + 1");
  CHECK_FALSE(told.contains("message"));
  CHECK(told["done_reason"] == "length");
  check_end(told);
}

TEST_CASE("a tool call's arguments are an object, and its turn ends as any other") {
  const Json call{{"id", "call_1"},
                  {"type", "function"},
                  {"function", {{"name", "weather"}, {"arguments", "{ \"city\":\n\"Ulm \\\"x\\\"\" }"}}}};
  const Json told =
      chat().answer(answer_of({{"content", nullptr}, {"tool_calls", Json::array({call, call})}}, "tool_calls"));
  CHECK(told["message"]["content"] == "");
  REQUIRE(told["message"]["tool_calls"].size() == 2);
  CHECK(told["message"]["tool_calls"][0] ==
        Json{{"id", "call_1"},
             {"function", {{"index", 0}, {"name", "weather"}, {"arguments", {{"city", "Ulm \"x\""}}}}}});
  CHECK(told["done_reason"] == "stop");
}

TEST_CASE("thoughts are shown unless the client asked for none") {
  const Json hub = answer_of({{"content", "a"}, {"reasoning_content", "because"}}, "stop");
  CHECK(chat().answer(hub)["message"]["thinking"] == "because");
  CHECK(chat({{"think", true}}).answer(hub)["message"]["thinking"] == "because");
  CHECK_FALSE(chat({{"think", false}}).answer(hub)["message"].contains("thinking"));
  const std::vector<Json> chunks{delta({{"reasoning_content", "be"}}), delta({{"reasoning", "cause"}}),
                                 delta({{"content", "a"}}, "stop")};
  const auto lines = chat().lines(chunks);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0]["message"] == Json{{"role", "assistant"}, {"content", ""}, {"thinking", "be"}});
  CHECK(lines[1]["message"]["thinking"] == "cause");
  CHECK(chat({{"think", false}}).lines(chunks).size() == 2);
}

TEST_CASE("a streamed chat is a line for each piece and a last line that says how it ended") {
  const auto lines =
      chat().lines({delta({{"role", "assistant"}, {"content", ""}}), delta({{"content", "Hel"}}),
                    delta({{"content", "lo \u00e9\U0001F600\n"}}), delta(Json::object(), "length"), usage_chunk(5, 7)});
  REQUIRE(lines.size() == 3);
  CHECK(lines[0]["message"] == Json{{"role", "assistant"}, {"content", "Hel"}});
  CHECK(lines[0]["done"] == false);
  CHECK(lines[0]["model"] == "gemini-2.5-flash");
  CHECK(is_time(lines[0]["created_at"]));
  CHECK_FALSE(lines[0].contains("total_duration"));
  CHECK(lines[1]["message"]["content"] == "lo \u00e9\U0001F600\n");
  CHECK(lines[2]["message"] == Json{{"role", "assistant"}, {"content", ""}});
  CHECK(lines[2]["done_reason"] == "length");
  check_end(lines[2]);
}

TEST_CASE("a character that upstream cut in two is told in one line") {
  const auto event = [](const std::string& body) {
    return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + body + "\"}}]}\n\n";
  };
  const auto lines = OllamaTalk::lines_of(
      chat().translated(event("a\\uD83D") + event("\\ude00b") + event("\\\\ud83d") + event("c") + "data: [DONE]\n\n"));
  REQUIRE(lines.size() == 5);
  CHECK(lines[0]["message"]["content"] == "a");
  CHECK(lines[1]["message"]["content"] == "\U0001F600b");
  CHECK(lines[2]["message"]["content"] == "\\ud83d");
  CHECK(lines[3]["message"]["content"] == "c");
}

TEST_CASE("a streamed completion is told in response") {
  const auto text = [](const std::string& words, const Json& reason) -> Json {
    return {{"choices", Json::array({{{"index", 0}, {"text", words}, {"finish_reason", reason}}})}};
  };
  const auto lines = generate().lines({text("x ", nullptr), text("+ 1", "stop"), usage_chunk(5, 7)});
  REQUIRE(lines.size() == 3);
  CHECK(lines[0]["response"] == "x ");
  CHECK(lines[1]["response"] == "+ 1");
  CHECK(lines[2]["response"] == "");
  CHECK_FALSE(lines[2].contains("message"));
  check_end(lines[2]);
}

TEST_CASE("parallel tool calls are gathered whole before they are told") {
  const auto lines =
      chat().lines({delta({{"content", "Let me see."}}), delta(piece(0, "", "call_1", "weather")),
                    delta(piece(0, "{\"city\":")), delta(piece(1, "{}", "call_2", "time")), delta(piece(0, "\"Ulm\"}")),
                    delta(Json::object(), "tool_calls"), usage_chunk(5, 7)});
  REQUIRE(lines.size() == 3);
  const Json calls = lines[1]["message"]["tool_calls"];
  REQUIRE(calls.size() == 2);
  CHECK(calls[0]["function"]["arguments"] == Json{{"city", "Ulm"}});
  CHECK(calls[0]["id"] == "call_1");
  CHECK(calls[1]["function"]["name"] == "time");
  CHECK(calls[1]["function"]["arguments"] == Json::object());
  CHECK(lines[1]["done"] == false);
  CHECK(lines[2]["done_reason"] == "stop");
  check_end(lines[2]);
}

TEST_CASE("calls that upstream numbers all alike, or not at all, are told apart") {
  const auto by_id = chat().lines({delta(piece(0, "{\"a\":1}", "x", "f")), delta(piece(0, "{\"a\":2}", "y", "f")),
                                   delta(Json::object(), "tool_calls")});
  REQUIRE(by_id.size() == 2);
  CHECK(by_id[0]["message"]["tool_calls"].size() == 2);
  Json first = piece(0, "{\"a\":", nullptr, "f");
  Json rest = piece(0, "1}");
  Json second = piece(0, "", nullptr, "g");
  for (Json* each : {&first, &rest, &second}) (*each)["tool_calls"][0].erase("index");
  const auto unnumbered = chat().lines({delta(first), delta(rest), delta(second)});
  REQUIRE(unnumbered.size() == 2);
  const Json calls = unnumbered[0]["message"]["tool_calls"];
  REQUIRE(calls.size() == 2);
  CHECK(calls[0]["function"]["arguments"] == Json{{"a", 1}});
  CHECK(calls[1]["function"] == Json{{"index", 1}, {"name", "g"}, {"arguments", Json::object()}});
}

TEST_CASE("arguments that are no object end the answer, unless it was cut short") {
  const auto broken = chat().lines({delta(piece(0, "{\"city\":", "call_1", "weather")), delta(Json::object(), "stop")});
  REQUIRE(broken.size() == 1);
  CHECK(broken[0]["error"].get<std::string>().find("JSON object") != std::string::npos);
  const auto cut = chat().lines({delta(piece(0, "{\"city\":", "call_1", "weather")), delta(Json::object(), "length")});
  REQUIRE(cut.size() == 1);
  CHECK(cut[0]["done_reason"] == "length");
  const Json call{{"id", "c"}, {"function", {{"name", "f"}, {"arguments", "[1]"}}}};
  const Json hub = answer_of({{"content", ""}, {"tool_calls", Json::array({call})}}, "tool_calls");
  CHECK(chat().answer_refusal(hub.dump()).kind == ErrorKind::upstream_error);
}

TEST_CASE("what is gathered of tool calls is bounded") {
  const OllamaTalk talk = chat();
  const auto translator = talk.translator();
  const std::string chunk = "data: " + delta(piece(0, std::string(1 << 20, 'a'), "c", "f")).dump() + "\n\n";
  std::string out;
  for (int i = 0; i < 6; ++i) {
    stream::SseScanner scanner;
    scanner.feed(chunk);
    translator->translate(*scanner.next(), out);
  }
  translator->finish(out);
  const auto lines = OllamaTalk::lines_of(out);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].contains("error"));
  std::vector<Json> many;
  for (int i = 0; i < 200; ++i) many.push_back(delta(piece(i, "{}", std::to_string(i), "f")));
  CHECK(talk.lines(many).back().contains("error"));
}

TEST_CASE("a stream that breaks off ends in a line with the error, and nothing follows") {
  const OllamaTalk talk = chat();
  const auto translator = talk.translator();
  stream::SseScanner scanner;
  scanner.feed("data: " + delta({{"content", "a"}}).dump() + "\n\ndata: " + delta({{"content", "b"}}).dump() + "\n\n");
  std::string out;
  translator->translate(*scanner.next(), out);
  translator->break_off(fail(ErrorKind::upstream_error, "it\nbroke"), out);
  translator->translate(*scanner.next(), out);
  translator->finish(out);
  const auto lines = OllamaTalk::lines_of(out);
  REQUIRE(lines.size() == 2);
  CHECK(lines[1] == Json{{"error", "it\nbroke"}});
}

TEST_CASE("an error event in the hub's form, and an event that cannot be read, break the stream off") {
  for (const std::string event : {R"(data: {"error":{"message":"overloaded"}})", "event: error\ndata: overloaded"}) {
    const auto lines = OllamaTalk::lines_of(chat().translated(event + "\n\ndata: [DONE]\n\n"));
    REQUIRE(lines.size() == 1);
    CHECK(lines[0]["error"] == "overloaded");
  }
  const auto lines = OllamaTalk::lines_of(chat().translated("data: {\"choices\":[\n\n"));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].contains("error"));
}

TEST_CASE("a stream that lacks its last event, or says more than one choice, still ends once") {
  Json second = delta({{"content", "other"}});
  second["choices"][0]["index"] = 1;
  std::string events = ": keepalive\n\n";
  for (const Json& chunk : {delta({{"content", "a"}}), second, delta(Json::object(), "stop")}) {
    events += "data: " + chunk.dump() + "\n\n";
  }
  const auto lines = OllamaTalk::lines_of(chat().translated(events));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["message"]["content"] == "a");
  CHECK(lines[1]["done"] == true);
  CHECK(lines[1]["eval_count"] == 0);
}

TEST_CASE("what is no answer in the hub's form is upstream's error") {
  for (const char* wrong : {"", "[]", "{}", "{\"choices\":{}}", "{\"choices\":["}) {
    CHECK(chat().answer_refusal(wrong).kind == ErrorKind::upstream_error);
  }
}

}  // namespace nemo::test::ollama_answer_test
