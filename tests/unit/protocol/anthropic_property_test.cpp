// What holds for any conversation with Anthropic and for any way its events arrive.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/anthropic.h"
#include "daemon/stream/sse_scanner.h"
#include "daemon/stream/stream_tap.h"
#include "dice.h"

namespace nemo::test::anthropic_property_test {

using namespace nemo::protocol;
using nemo::test::Dice;
using Json = nlohmann::json;

namespace {

struct Answer {
  Json blocks = Json::array();  // Anthropic's content
  std::string stop_reason = "end_turn";
};

// As models answer: thinking, text, then tools.
Answer random_answer(Dice& dice, int round) {
  Answer answer;
  if (dice.coin()) {
    answer.blocks.push_back({{"type", "thinking"}, {"thinking", dice.text()}, {"signature", "sig" + dice.text()}});
  }
  if (dice.coin()) answer.blocks.push_back({{"type", "redacted_thinking"}, {"data", "enc" + dice.text()}});
  if (dice.coin()) answer.blocks.push_back({{"type", "text"}, {"text", dice.text()}});
  for (int i = dice.roll(3); i > 0; --i) {
    answer.stop_reason = "tool_use";
    answer.blocks.push_back({{"type", "tool_use"},
                             {"id", "toolu_" + std::to_string(round) + "_" + std::to_string(i)},
                             {"name", "tool_" + std::to_string(i)},
                             {"input", dice.object(3)}});
  }
  if (answer.blocks.empty()) answer.blocks.push_back({{"type", "text"}, {"text", dice.text()}});
  return answer;
}

std::string whole(const Answer& answer) {
  return Json{{"id", "msg_1"},
              {"type", "message"},
              {"model", "claude-x"},
              {"content", answer.blocks},
              {"stop_reason", answer.stop_reason},
              {"usage", {{"input_tokens", 3}, {"cache_read_input_tokens", 4}, {"output_tokens", 5}}}}
      .dump();
}

std::string event(const Json& data, Dice& dice) {
  const std::string line_end = dice.roll(3) == 0 ? "\r\n" : "\n";
  return "event: " + data["type"].get<std::string>() + line_end + "data: " + data.dump(-1, ' ', dice.coin()) +
         line_end + line_end;
}

// Between characters, for a JSON text of half a character cannot be written.
std::vector<std::string> cut(const std::string& text, Dice& dice) {
  std::vector<std::string> pieces(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool continues = (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U;
    if (!continues && dice.roll(3) == 0) pieces.emplace_back();
    pieces.back().push_back(text[i]);
  }
  return pieces;
}

std::string deltas(std::size_t index, const std::string& type, const std::string& field, const std::string& text,
                   Dice& dice) {
  std::string out;
  for (const std::string& piece : cut(text, dice)) {
    out +=
        event({{"type", "content_block_delta"}, {"index", index}, {"delta", {{"type", type}, {field, piece}}}}, dice);
    if (dice.roll(9) == 0) out += event({{"type", "ping"}}, dice);
  }
  return out;
}

std::string as_events(const Answer& answer, Dice& dice) {
  std::string out = event({{"type", "message_start"},
                           {"message",
                            {{"id", "msg_1"},
                             {"model", "claude-x"},
                             {"content", Json::array()},
                             {"usage", {{"input_tokens", 3}, {"cache_read_input_tokens", 4}, {"output_tokens", 1}}}}}},
                          dice);
  for (std::size_t i = 0; i < answer.blocks.size(); ++i) {
    Json begin = answer.blocks[i];
    const std::string type = begin["type"];
    if (type == "text") begin["text"] = "";
    if (type == "thinking") begin["thinking"] = begin["signature"] = "";
    if (type == "tool_use") begin["input"] = Json::object();
    out += event({{"type", "content_block_start"}, {"index", i}, {"content_block", begin}}, dice);
    const Json& block = answer.blocks[i];
    if (type == "text") out += deltas(i, "text_delta", "text", block["text"], dice);
    if (type == "thinking") {
      out += deltas(i, "thinking_delta", "thinking", block["thinking"], dice);
      out += deltas(i, "signature_delta", "signature", block["signature"], dice);
    }
    if (type == "tool_use" && !block["input"].empty()) {
      out += deltas(i, "input_json_delta", "partial_json", block["input"].dump(), dice);
    }
    out += event({{"type", "content_block_stop"}, {"index", i}}, dice);
  }
  out += event(
      {{"type", "message_delta"}, {"delta", {{"stop_reason", answer.stop_reason}}}, {"usage", {{"output_tokens", 5}}}},
      dice);
  return out + event({{"type", "message_stop"}}, dice);
}

// The time of its making is the one thing in a stream that two translations may differ in.
std::string without_time(std::string stream) {
  constexpr std::string_view k_created = "\"created\":";
  for (std::size_t at = 0; (at = stream.find(k_created, at)) != std::string::npos; at += k_created.size()) {
    stream.erase(at + k_created.size(), stream.find(',', at) - at - k_created.size());
  }
  return stream;
}

struct Seen {
  std::string chunks;
  std::size_t content_bytes = 0;
  std::optional<nemo::call::Usage> usage;
  bool finished = false;
};

Seen translate(const std::vector<std::string>& pieces) {
  nemo::stream::SseScanner scanner;
  nemo::stream::StreamTap tap(make_messages_event_reader(), nemo::stream::UsageFrames::hide);
  const auto translator = make_messages_to_chat_translator(UsageChunk::append);
  Seen seen;
  const auto pass = [&](const nemo::stream::SseEvent& next) {
    tap.look(next, nemo::SteadyTime{});
    translator->translate(next, seen.chunks);
  };
  for (const std::string& piece : pieces) {
    scanner.feed(piece);
    while (const auto next = scanner.next()) pass(*next);
  }
  while (const auto next = scanner.finish()) pass(*next);
  translator->finish(seen.chunks);
  CHECK_FALSE(tap.saw_malformed());
  seen.chunks = without_time(seen.chunks);
  seen.content_bytes = tap.content_bytes();
  seen.usage = tap.usage();
  seen.finished = tap.finished() && tap.saw_end_marker();
  return seen;
}

// The message that an OpenAI client puts together from chunks.
Json assembled(const std::string& chunks) {
  Json message = {{"role", "assistant"}, {"content", ""}};
  nemo::stream::SseScanner scanner;
  scanner.feed(chunks);
  while (const auto next = scanner.next()) {
    if (next->data.empty() || next->data == "[DONE]") continue;
    std::string data(next->data);
    if (const std::size_t at = data.find("\"created\":,"); at != std::string::npos) data.insert(at + 10, "0");
    const Json chunk = Json::parse(data);
    for (const Json& choice : chunk["choices"]) {
      const Json& delta = choice["delta"];
      for (const char* key : {"content", "reasoning_content"}) {
        if (delta.contains(key)) message[key] = message.value(key, "") + delta[key].get<std::string>();
      }
      for (const Json& block : delta.value("thinking_blocks", Json::array()))
        message["thinking_blocks"].push_back(block);
      for (const Json& call : delta.value("tool_calls", Json::array())) {
        const std::size_t index = call["index"];
        if (call.contains("id")) {
          REQUIRE(index == message["tool_calls"].size());
          message["tool_calls"].push_back(call);
          message["tool_calls"].back().erase("index");
        } else {
          Json& arguments = message["tool_calls"][index]["function"]["arguments"];
          arguments = arguments.get<std::string>() + call["function"]["arguments"].get<std::string>();
        }
      }
    }
  }
  return message;
}

Json answered(const Answer& answer) {
  const auto chat = message_to_chat_answer(whole(answer));
  REQUIRE(chat.ok());
  return Json::parse(*chat)["choices"][0]["message"];
}

Json sent_for(const Json& messages) {
  const auto body = RequestBody::parse(Json{{"messages", messages}}.dump());
  REQUIRE(body.ok());
  const auto spec = parse_chat(*body);
  REQUIRE(spec.ok());
  const auto sent = chat_request_to_messages(*body, *spec, "claude-x", MessagesFor::anthropic, {}, 0);
  if (!sent) FAIL(sent.error().message);
  return Json::parse(*sent);
}

}  // namespace

TEST_CASE("the same events give the same chunks, facts and usage however their bytes are split") {
  for (unsigned seed = 0; seed < 60; ++seed) {
    Dice dice(seed);
    const std::string stream = as_events(random_answer(dice, 0), dice);
    CAPTURE(seed);
    const Seen at_once = translate({stream});
    CHECK(at_once.finished);
    REQUIRE(at_once.usage);
    CHECK(at_once.usage->input_tokens == 7);
    CHECK(at_once.usage->output_tokens == 5);
    std::vector<std::string> bytes;
    for (const char byte : stream) bytes.emplace_back(1, byte);
    std::vector<std::string> pieces(1);
    for (const char byte : stream) {
      if (dice.roll(20) == 0) pieces.emplace_back();
      pieces.back().push_back(byte);
    }
    for (const auto& split : {bytes, pieces}) {
      const Seen seen = translate(split);
      CHECK(seen.chunks == at_once.chunks);
      CHECK(seen.content_bytes == at_once.content_bytes);
      CHECK(seen.usage == at_once.usage);
      CHECK(seen.finished);
    }
  }
}

TEST_CASE("a stream and a whole answer of the same message give a client the same") {
  for (unsigned seed = 100; seed < 200; ++seed) {
    Dice dice(seed);
    const Answer answer = random_answer(dice, 0);
    CAPTURE(seed);
    Json from_stream = assembled(translate({as_events(answer, dice)}).chunks);
    Json from_whole = answered(answer);
    if (from_whole["content"].is_null()) from_whole["content"] = "";
    for (Json* message : {&from_stream, &from_whole}) {
      if (!message->contains("tool_calls")) continue;
      for (Json& call : (*message)["tool_calls"]) {
        call["function"]["arguments"] = Json::parse(call["function"]["arguments"].get<std::string>());
      }
    }
    CHECK(from_stream == from_whole);
  }
}

TEST_CASE("an answer that a client sends back reaches Anthropic as the blocks it came as, over many rounds") {
  for (unsigned seed = 300; seed < 400; ++seed) {
    Dice dice(seed);
    CAPTURE(seed);
    Json chat = Json::array({{{"role", "system"}, {"content", dice.text()}}});
    Json expected = Json::array();
    for (int round = 0; round < 4; ++round) {
      const std::string said = dice.text();
      chat.push_back({{"role", "user"}, {"content", said}});
      const Json text = {{"type", "text"}, {"text", said}};
      if (expected.empty() || expected.back()["role"] == "assistant") {
        expected.push_back({{"role", "user"}, {"content", Json::array()}});
      }
      expected.back()["content"].push_back(text);
      const Answer answer = random_answer(dice, round);
      chat.push_back(dice.coin() ? answered(answer) : assembled(translate({as_events(answer, dice)}).chunks));
      Json blocks = answer.blocks;
      expected.push_back({{"role", "assistant"}, {"content", blocks}});
      Json results = Json::array();
      for (const Json& block : blocks) {
        if (block["type"] != "tool_use") continue;
        const std::string result = dice.text();
        chat.push_back({{"role", "tool"}, {"tool_call_id", block["id"]}, {"content", result}});
        results.push_back({{"type", "tool_result"},
                           {"tool_use_id", block["id"]},
                           {"content", Json::array({{{"type", "text"}, {"text", result}}})}});
      }
      if (!results.empty()) expected.push_back({{"role", "user"}, {"content", results}});
    }
    const Json sent = sent_for(chat);
    CHECK(sent["messages"] == expected);
    CHECK(sent["system"][0]["text"] == chat[0]["content"]);
  }
}

}  // namespace nemo::test::anthropic_property_test
