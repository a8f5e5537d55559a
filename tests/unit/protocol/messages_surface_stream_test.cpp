// A chat's chunks as Anthropic's events: their order, their indices, and what a client puts together from them.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "daemon/protocol/surfaces/anthropic_blocks.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/translate/anthropic.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::test::messages_surface_stream_test {

using namespace nemo::protocol;
using Json = nlohmann::json;

namespace {

std::unique_ptr<nemo::stream::Translator> make_translator() {
  const auto body = RequestBody::parse("{}");
  REQUIRE(body.ok());
  const nemo::call::CallSpec spec;
  return messages_form().hub->translator({*body, spec, nemo::WallTime{}, "gemini-2.5-pro"});
}

enum class End { finish, none };

std::string translated(const std::vector<std::string>& pieces, End end = End::finish) {
  nemo::stream::SseScanner scanner;
  const auto translator = make_translator();
  std::string out;
  for (const std::string& piece : pieces) {
    scanner.feed(piece);
    while (const auto next = scanner.next()) translator->translate(*next, out);
  }
  while (const auto next = scanner.finish()) translator->translate(*next, out);
  if (end == End::finish) translator->finish(out);
  return out;
}

std::string data(const Json& chunk) {
  return "data: " + chunk.dump() + "\n\n";
}

std::string chunk(const Json& delta, const Json& finish_reason = nullptr) {
  return data({{"id", "chatcmpl-1"},
               {"object", "chat.completion.chunk"},
               {"choices", {{{"index", 0}, {"delta", delta}, {"finish_reason", finish_reason}}}}});
}

std::string piece_of_call(const Json& index, const std::string& id, const std::string& name,
                          const Json& arguments = nullptr) {
  Json call = {{"function", Json::object()}};
  if (!index.is_null()) call["index"] = index;
  if (!id.empty()) call["id"] = id;
  if (!name.empty()) call["function"]["name"] = name;
  if (!arguments.is_null()) call["function"]["arguments"] = arguments;
  return chunk({{"tool_calls", Json::array({call})}});
}

std::string usage(int prompt = 10, int completion = 7, int cached = 3) {
  return data({{"id", "chatcmpl-1"},
               {"choices", Json::array()},
               {"usage",
                {{"prompt_tokens", prompt},
                 {"completion_tokens", completion},
                 {"total_tokens", prompt + completion},
                 {"prompt_tokens_details", {{"cached_tokens", cached}}}}}});
}

const std::string k_role = chunk({{"role", "assistant"}, {"content", ""}});
const std::string k_done = "data: [DONE]\n\n";

// What a client puts together; on the way every rule of the dialect is checked.
struct Told {
  std::vector<std::string> order;  // the events' types
  Json message;
  bool stopped = false;
  Json error;
};

class Reader {
 public:
  void read(const nemo::stream::SseEvent& event) {
    CAPTURE(event.raw);
    REQUIRE(Json::accept(event.data));
    const Json one = Json::parse(event.data);
    const std::string type = one["type"];
    CHECK(event.event == type);
    CHECK_FALSE(m_told.stopped);
    CHECK(m_told.error.is_null());
    m_told.order.push_back(type);
    if (type == "message_start") {
      CHECK(m_told.order.size() == 1);
      m_told.message = one["message"];
      CHECK(m_told.message["content"] == Json::array());
      CHECK(m_told.message["usage"]["output_tokens"].is_number());
      CHECK(m_told.message["stop_reason"].is_null());
    } else if (type == "content_block_start") {
      REQUIRE_FALSE(m_is_open);
      CHECK(one["index"] == m_told.message["content"].size());
      m_told.message["content"].push_back(one["content_block"]);
      m_is_open = true;
      m_input.clear();
    } else if (type == "content_block_delta") {
      add_delta(one);
    } else if (type == "content_block_stop") {
      end_block(one);
    } else if (type == "message_delta") {
      CHECK_FALSE(m_is_open);
      m_told.message.update(one["delta"]);
      m_told.message["usage"] = one["usage"];
    } else if (type == "message_stop") {
      m_told.stopped = true;
    } else if (type == "error") {
      m_told.error = one["error"];
    } else {
      CHECK(type == "ping");
    }
  }
  Told take() { return std::move(m_told); }

 private:
  void add_delta(const Json& one) {
    REQUIRE(m_is_open);
    CHECK(one["index"] == m_told.message["content"].size() - 1);
    Json& block = m_told.message["content"].back();
    const Json& delta = one["delta"];
    static const std::map<std::string, std::pair<std::string, std::string>> k_kinds{
        {"text_delta", {"text", "text"}},
        {"thinking_delta", {"thinking", "thinking"}},
        {"signature_delta", {"thinking", "signature"}}};
    if (delta["type"] == "input_json_delta") {
      CHECK(block["type"] == "tool_use");
      m_input += delta["partial_json"].get<std::string>();
      return;
    }
    const auto& [kind, field] = k_kinds.at(delta["type"]);
    CHECK(block["type"] == kind);
    block[field] = block[field].get<std::string>() + delta[field].get<std::string>();
  }
  void end_block(const Json& one) {
    REQUIRE(m_is_open);
    CHECK(one["index"] == m_told.message["content"].size() - 1);
    m_is_open = false;
    Json& block = m_told.message["content"].back();
    if (block["type"] != "tool_use") return;
    CHECK(block["input"] == Json::object());
    block["input"] = Json::accept(m_input) ? Json::parse(m_input) : Json(m_input);
  }

  Told m_told;
  std::string m_input;
  bool m_is_open = false;
};

Told told(const std::string& events) {
  nemo::stream::SseScanner scanner;
  scanner.feed(events);
  Reader reader;
  while (const auto next = scanner.next()) reader.read(*next);
  CHECK_FALSE(scanner.finish());  // it ends with a whole event
  return reader.take();
}

Json content_of(const std::string& chunks) {
  const Told all = told(translated({chunks + usage() + k_done}));
  CHECK(all.stopped);
  CHECK(all.error.is_null());
  return all.message["content"];
}

Json tool(const std::string& id, const std::string& name, const Json& input) {
  return {{"type", "tool_use"}, {"id", id}, {"name", name}, {"input", input}};
}

}  // namespace

TEST_CASE("a text comes as Anthropic's events in their order, with the usage at the end") {
  const Told all = told(translated({k_role + chunk({{"content", "Hel"}}) + chunk({{"content", "lo \"é\""}}) +
                                    chunk(Json::object(), "stop") + usage() + k_done}));
  CHECK(all.order == std::vector<std::string>{"message_start", "content_block_start", "content_block_delta",
                                              "content_block_delta", "content_block_stop", "message_delta",
                                              "message_stop"});
  CHECK(all.message == Json{{"id", "msg_1"},
                            {"type", "message"},
                            {"role", "assistant"},
                            {"model", "gemini-2.5-pro"},
                            {"content", {{{"type", "text"}, {"text", "Hello \"é\""}}}},
                            {"stop_reason", "end_turn"},
                            {"stop_sequence", nullptr},
                            {"usage",
                             {{"input_tokens", 7},
                              {"cache_creation_input_tokens", 0},
                              {"cache_read_input_tokens", 3},
                              {"output_tokens", 7}}}});
}

TEST_CASE("each piece goes out with the chunk that brought it") {
  const auto translator = make_translator();
  nemo::stream::SseScanner scanner;
  const auto feed = [&](const std::string& chunks) {
    std::string out;
    scanner.feed(chunks);
    while (const auto next = scanner.next()) translator->translate(*next, out);
    return out;
  };
  CHECK(feed(k_role).find("message_start") != std::string::npos);
  CHECK(feed(chunk({{"content", "one"}})).find("one") != std::string::npos);
  CHECK(feed(chunk({{"content", ""}})).empty());
  CHECK(feed(piece_of_call(0, "a", "f", "")).find("content_block_start") != std::string::npos);
  CHECK(feed(piece_of_call(0, "", "", "{\"x\":1")).find("partial_json") != std::string::npos);
  CHECK(feed(piece_of_call(0, "", "", "}")).find("partial_json") != std::string::npos);
  // The first call is complete: the second does not wait.
  const std::string second = feed(piece_of_call(1, "b", "g", "{\"y\":"));
  CHECK(second.find("content_block_stop") != std::string::npos);
  CHECK(second.find("{\\\"y\\\":") != std::string::npos);
  CHECK(feed(chunk(Json::object(), "tool_calls")).empty());
}

TEST_CASE("a stream whose upstream sends neither usage nor [DONE] still ends as the dialect wants") {
  const Told all = told(translated({chunk({{"content", "x"}}) + chunk(Json::object(), "length")}));
  CHECK(all.stopped);
  CHECK(all.message["stop_reason"] == "max_tokens");
  CHECK(all.message["usage"]["output_tokens"] == 0);
  const Told nothing = told(translated({}));
  CHECK(nothing.order == std::vector<std::string>{"message_start", "message_delta", "message_stop"});
  CHECK(told(translated({k_role + k_done})).message["content"] == Json::array());
}

TEST_CASE("reasoning, text and parallel calls are blocks one after the other") {
  const Json content =
      content_of(k_role + chunk({{"reasoning_content", "h"}}) + chunk({{"reasoning_content", "m"}}) +
                 chunk({{"content", "Let me"}}) + chunk({{"content", " see."}}) + piece_of_call(0, "a", "f", "") +
                 piece_of_call(0, "", "", "{\"x\":") + piece_of_call(0, "", "", "1}") +
                 piece_of_call(1, "b", "g", "{}") + chunk(Json::object(), "tool_calls"));
  CHECK(content == Json{{{"type", "thinking"}, {"thinking", "hm"}, {"signature", ""}},
                        {{"type", "text"}, {"text", "Let me see."}},
                        tool("a", "f", {{"x", 1}}),
                        tool("b", "g", Json::object())});
}

TEST_CASE("calls whose pieces interleave come out whole, in order") {
  const Json content = content_of(piece_of_call(0, "a", "f", "{\"x\":") + piece_of_call(1, "b", "g", "{\"y\"") +
                                  piece_of_call(2, "c", "h", "") + piece_of_call(1, "", "", ":2}") +
                                  chunk({{"content", "a word"}}) + piece_of_call(0, "", "", "1}") +
                                  piece_of_call(2, "", "", "{\"z\":3}") + chunk(Json::object(), "tool_calls"));
  CHECK(content == Json{tool("a", "f", {{"x", 1}}),
                        tool("b", "g", {{"y", 2}}),
                        tool("c", "h", {{"z", 3}}),
                        {{"type", "text"}, {"text", "a word"}}});
}

TEST_CASE("servers number, name and cut their calls in ways of their own") {
  // Every call has the index 0, or none.
  for (const Json& index : {Json(0), Json()}) {
    CHECK(content_of(piece_of_call(index, "a", "f", "{\"x\":1}") + piece_of_call(index, "b", "f", "{\"x\":2}")) ==
          Json{tool("a", "f", {{"x", 1}}), tool("b", "f", {{"x", 2}})});
  }
  // No ids at all.
  const Json made = content_of(piece_of_call(0, "", "f", "{}") + piece_of_call(0, "", "f", "{\"x\":2}"));
  REQUIRE(made.size() == 2);
  CHECK(made[0]["id"] != made[1]["id"]);
  CHECK(made[1]["input"] == Json{{"x", 2}});
  // Id and name with every piece.
  CHECK(content_of(piece_of_call(0, "a", "f", "{\"x\":") + piece_of_call(0, "a", "f", "1}") +
                   piece_of_call(1, "b", "g", "{}") + piece_of_call(0, "a", "f", "")) ==
        Json{tool("a", "f", {{"x", 1}}), tool("b", "g", Json::object())});
  // The arguments as an object.
  CHECK(content_of(piece_of_call(0, "a", "f", {{"x", "\"é\n"}})) == Json::array({tool("a", "f", {{"x", "\"é\n"}})}));
  // A tool that takes nothing.
  CHECK(content_of(piece_of_call(0, "a", "f") + piece_of_call(1, "b", "g", "")) ==
        Json{tool("a", "f", Json::object()), tool("b", "g", Json::object())});
  // The name comes after the arguments have begun.
  CHECK(content_of(piece_of_call(0, "a", "", "{") + piece_of_call(0, "", "f", "}")) ==
        Json::array({tool("a", "f", Json::object())}));
}

TEST_CASE("arguments cut inside an escape, and very long ones, come out as they went in") {
  const std::string arguments = R"({"x":"\u00e9\ud83d\ude00\\n","y":")" + std::string(300'000, 'z') + "\"}";
  std::string chunks = piece_of_call(0, "a", "f", "");
  for (std::size_t at = 0; at < 40; ++at) chunks += piece_of_call(0, "", "", arguments.substr(at, 1));
  chunks += piece_of_call(0, "", "", arguments.substr(40));
  CHECK(content_of(chunks) == Json::array({tool("a", "f", Json::parse(arguments))}));
}

TEST_CASE("signed thinking keeps its signature, redacted thinking its data") {
  const Json signed_block = {{"type", "thinking"}, {"thinking", "hm"}, {"signature", "s"}};
  const Json redacted = {{"type", "redacted_thinking"}, {"data", "d"}};
  const auto blocks = [](const Json& block, const Json& more = Json::object()) {
    Json delta = {{"thinking_blocks", Json::array({block})}};
    delta.update(more);
    return chunk(delta);
  };
  const Json text = {{"type", "text"}, {"text", "x"}};
  const std::string said = chunk({{"content", "x"}});
  // As Nemo tells a chat: the text first, the whole block at its end.
  CHECK(content_of(chunk({{"reasoning_content", "h"}}) + chunk({{"reasoning_content", "m"}}) + blocks(signed_block) +
                   blocks(redacted) + said) == Json{signed_block, redacted, text});
  // Piece by piece in both fields, the signature alone at the end.
  const auto unsigned_piece = [](const char* words) {
    return Json{{"type", "thinking"}, {"thinking", words}, {"signature", ""}};
  };
  const Json signature = {{"type", "thinking"}, {"thinking", ""}, {"signature", "s"}};
  CHECK(content_of(blocks(unsigned_piece("h"), {{"reasoning_content", "h"}}) +
                   blocks(unsigned_piece("m"), {{"reasoning_content", "m"}}) + blocks(signature) + said) ==
        Json{signed_block, text});
  // In thinking_blocks alone.
  CHECK(content_of(blocks(unsigned_piece("h")) + blocks(unsigned_piece("m")) + blocks(signature) + said) ==
        Json{signed_block, text});
  CHECK(content_of(blocks(signed_block) + blocks(signed_block) + said) == Json{signed_block, signed_block, text});
}

TEST_CASE("an error ends the stream as an event of its own, after all that was held back") {
  const std::string before =
      k_role + chunk({{"content", "x"}}) + piece_of_call(0, "a", "f", "{") + piece_of_call(1, "b", "g", "{}");
  for (const std::string& error :
       {data({{"error", {{"message", "out of memory"}}}}), "event: error\n" + data({{"message", "out of memory"}})}) {
    const std::string out = translated({before + error + chunk({{"content", "more"}}) + k_done});
    CHECK(out.find("message_stop") == std::string::npos);
    CHECK(out.find("more") == std::string::npos);
    CHECK(
        out.ends_with("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":"
                      "\"out of memory\"}}\n\n"));
    CHECK(out.find("\"name\":\"g\"") != std::string::npos);
  }
  const Told garbage = told(translated({k_role + "data: {\"choices\":\n\n"}));
  CHECK(garbage.error["type"] == "api_error");
  const auto translator = make_translator();
  std::string out;
  translator->break_off(nemo::fail(nemo::ErrorKind::budget_exceeded, "no money"), out);
  CHECK(told(out).error["type"] == "billing_error");
  const std::string all = out;
  translator->finish(out);
  CHECK(out == all);
}

TEST_CASE("a call that goes on after its arguments were complete is an error, white space is not") {
  const std::string calls = piece_of_call(0, "a", "f", "{}") + piece_of_call(1, "b", "g", "{");
  CHECK(content_of(calls + piece_of_call(0, "", "", " \n") + piece_of_call(1, "", "", "}")).size() == 2);
  CHECK(told(translated({calls + piece_of_call(0, "", "", "{}")}, End::none)).error["type"] == "api_error");
}

TEST_CASE("an upstream that interleaves without end is stopped") {
  std::string calls;
  for (std::size_t i = 0; i <= MessageBlocks::k_most_calls; ++i) {
    calls += piece_of_call(i, "id" + std::to_string(i), "f", "{}");
  }
  CHECK(translated({calls}, End::none).find("event: error") != std::string::npos);
  std::string held = piece_of_call(0, "a", "f", "{") + piece_of_call(1, "b", "g", "{");
  const std::string much = piece_of_call(1, "", "", std::string(std::size_t{1} << 20U, 'x'));
  for (int i = 0; i < 17; ++i) held += much;
  CHECK(translated({held}, End::none).find("event: error") != std::string::npos);
}

TEST_CASE("an upstream's comments keep the client waiting by Anthropic's own ping") {
  CHECK(translated({": keepalive\n\n"}, End::none).empty());
  const Told all = told(translated({k_role + ": keepalive\n\n" + chunk({{"content", "x"}}) + k_done}));
  CHECK(all.order[1] == "ping");
  CHECK(all.stopped);
}

TEST_CASE("any conversation's chunks say the same however they are cut, and the same as Anthropic said") {
  std::mt19937 dice(11);
  const auto roll = [&](unsigned most) { return static_cast<unsigned>(dice() % (most + 1)); };
  const auto words = [&] {
    static const std::vector<std::string> k_pieces{"a", "\n", "\"", "\\", "é", "😀", "{}", "\x01", "\\ud83d", "B c"};
    std::string out = "x";
    for (unsigned i = roll(8); i > 0; --i) out += k_pieces[roll(9)];
    return out;
  };
  const auto characters = [](const std::string& text) {
    std::vector<std::string> all;
    for (const char c : text) {
      if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) all.emplace_back();
      all.back().push_back(c);
    }
    return all;
  };
  for (int round = 0; round < 120; ++round) {
    CAPTURE(round);
    Json expected = Json::array();
    std::string chunks = k_role;
    if (roll(1) == 1) {
      const std::string thought = words();
      for (const std::string& c : characters(thought)) chunks += chunk({{"reasoning_content", c}});
      expected.push_back({{"type", "thinking"}, {"thinking", thought}, {"signature", ""}});
    }
    if (roll(2) != 0) {
      const std::string said = words();
      for (const std::string& c : characters(said)) chunks += chunk({{"content", c}});
      expected.push_back({{"type", "text"}, {"text", said}});
    }
    std::vector<std::vector<std::string>> calls;  // what is left of each one's arguments
    for (unsigned i = 0; i < roll(4); ++i) {
      const Json input = {{words(), Json::array({words(), i})}};
      const std::string id = "call_" + std::to_string(i);
      expected.push_back(tool(id, "f" + std::to_string(i), input));
      chunks += piece_of_call(i, id, "f" + std::to_string(i), "");
      calls.push_back(characters(input.dump(-1, ' ', roll(1) == 1)));
    }
    std::vector<std::size_t> next(calls.size());
    for (std::size_t left = calls.size(); left > 0;) {
      const std::size_t which = roll(static_cast<unsigned>(calls.size()) - 1);
      if (next[which] == calls[which].size()) continue;
      chunks += piece_of_call(which, "", "", calls[which][next[which]++]);
      if (next[which] == calls[which].size()) --left;
    }
    chunks += chunk(Json::object(), calls.empty() ? "stop" : "tool_calls") + usage() + k_done;
    const std::string at_once = translated({chunks});
    const Told all = told(at_once);
    CHECK(all.stopped);
    CHECK(all.message["content"] == expected);
    CHECK(all.message["stop_reason"] == (calls.empty() ? "end_turn" : "tool_use"));
    CHECK(all.message["usage"]["output_tokens"] == 7);
    std::vector<std::string> pieces(1);
    for (const char c : chunks) {
      if (roll(30) == 0) pieces.emplace_back();
      pieces.back().push_back(c);
    }
    CHECK(translated(pieces) == at_once);
  }
}

}  // namespace nemo::test::messages_surface_stream_test
