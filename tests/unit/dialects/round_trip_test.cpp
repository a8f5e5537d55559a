// What holds for every pair of a client's dialect and an upstream's: nothing of a conversation or of its answer is lost
// on the way, whole or streamed, however the bytes are cut.
#include <doctest/doctest.h>

#include <array>
#include <string>

#include "client_side.h"
#include "daemon/protocol/conversation.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/stream/sse_scanner.h"
#include "sanitizer.h"
#include "upstream_side.h"

namespace nemo::test::round_trip_test {

using namespace nemo;
using namespace nemo::test;
using call::Surface;
using protocol::Dialect;

namespace {

constexpr std::array k_surfaces{Surface::openai_chat, Surface::anthropic_messages, Surface::openai_responses,
                                Surface::gemini, Surface::ollama_chat};
constexpr std::array k_dialects{Dialect::openai, Dialect::anthropic};
constexpr unsigned k_rounds = k_is_sanitized ? 40 : 150;

// A request as the daemon has read it, and the conversation that it becomes with an upstream.
struct Held {
  Held(Surface surface, Dialect dialect, const std::string& bytes, Streamed streamed)
      : body(parse(bytes)), spec(read(surface, body, streamed)) {
    auto made = protocol::make_conversation(dialect, {body, spec});
    if (!made) throw std::runtime_error(made.error().message);
    conversation = std::move(*made);
    auto request = conversation->request("m", {});
    if (!request) throw std::runtime_error(request.error().message);
    upstream_body = *request;
  }

  static protocol::RequestBody parse(const std::string& bytes) {
    auto parsed = protocol::RequestBody::parse(bytes);
    if (!parsed) throw std::runtime_error(parsed.error().message);
    return std::move(*parsed);
  }
  static call::CallSpec read(Surface surface, const protocol::RequestBody& body, Streamed streamed) {
    protocol::PathWords path;
    if (surface == Surface::gemini) path = {"m", streamed == Streamed::yes};
    auto spec = protocol::form_of(surface).parse(body, path);
    if (!spec) throw std::runtime_error(spec.error().message);
    return *spec;
  }

  protocol::RequestBody body;
  call::CallSpec spec;
  std::unique_ptr<protocol::Conversation> conversation;
  std::string upstream_body;
};

// Gemini wraps a tool's text into an object; whether it is unwrapped again on the way is the translation's affair.
std::string unwrapped(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  return json.is_object() && json.contains("output") && json["output"].is_string() ? json["output"] : Json(text);
}

// Where the dialect has no ids the results must name the calls before them, in their order.
void forget_ids(Spoken& spoken) {
  std::vector<ToolCall>* before = nullptr;
  for (Turn& turn : spoken.turns) {
    for (std::size_t i = 0; i < turn.results.size(); ++i) {
      REQUIRE(before != nullptr);
      REQUIRE(i < before->size());
      CHECK(turn.results[i].id == (*before)[i].id);
    }
    if (before != nullptr) {
      for (ToolCall& call : *before) call.id.clear();
    }
    for (ToolResult& result : turn.results) result.id.clear();
    before = turn.by_user ? nullptr : &turn.calls;
  }
}

void forget_ids(Reply& reply) {
  for (ToolCall& call : reply.calls) call.id.clear();
}

// What the client's dialect has no words for.
Reply as_told_in(Surface surface, Reply reply) {
  if (!has_ids(surface)) forget_ids(reply);
  if (surface == Surface::ollama_chat) reply.cached_tokens = 0;
  return reply;
}

// In random pieces, as a network would bring them.
std::string translated(const Held& held, const std::string& upstream, Dice& dice) {
  const auto translator = held.conversation->stream_translator();
  stream::SseScanner scanner;
  std::string out;
  for (std::size_t at = 0; at < upstream.size();) {
    const std::size_t size = std::min<std::size_t>(1 + static_cast<std::size_t>(dice.roll(200)), upstream.size() - at);
    scanner.feed(std::string_view(upstream).substr(at, size));
    at += size;
    while (const auto event = scanner.next()) translator->translate(*event, out);
  }
  if (const auto rest = scanner.finish()) translator->translate(*rest, out);
  translator->finish(out);
  return out;
}

std::string pair_name(Surface surface, Dialect dialect) {
  return std::string(to_string(surface)) + (dialect == Dialect::openai ? " over openai" : " over anthropic");
}

}  // namespace

TEST_CASE("a conversation reaches upstream whole, in every pair of dialects") {
  for (const Surface surface : k_surfaces) {
    for (const Dialect dialect : k_dialects) {
      for (unsigned seed = 1; seed <= k_rounds; ++seed) {
        Dice dice(seed);
        const std::string pair = pair_name(surface, dialect);
        CAPTURE(pair);
        CAPTURE(seed);
        Spoken spoken = random_conversation(dice);
        const std::string request = request_in(surface, spoken, Streamed::no, dice);
        Spoken heard = read_request(dialect, Held(surface, dialect, request, Streamed::no).upstream_body);
        if (!has_ids(surface)) {
          forget_ids(spoken);
          forget_ids(heard);
        }
        for (Turn& turn : heard.turns) {
          for (ToolResult& result : turn.results) result.text = unwrapped(result.text);
        }
        CHECK(heard.system == spoken.system);
        CHECK(heard.max_tokens == spoken.max_tokens);
        CHECK(heard.tools == spoken.tools);
        REQUIRE(heard.turns == spoken.turns);
      }
    }
  }
}

TEST_CASE("a whole answer reaches the client as it was given, in every pair of dialects") {
  for (const Surface surface : k_surfaces) {
    for (const Dialect dialect : k_dialects) {
      for (unsigned seed = 1; seed <= k_rounds; ++seed) {
        Dice dice(seed);
        const std::string pair = pair_name(surface, dialect);
        CAPTURE(pair);
        CAPTURE(seed);
        const Spoken spoken = random_conversation(dice);
        const Held held(surface, dialect, request_in(surface, spoken, Streamed::no, dice), Streamed::no);
        const Reply given = random_reply(dice, spoken.tools);
        const auto answer = held.conversation->answer(whole_in(dialect, given));
        REQUIRE(answer.ok());
        Reply heard = read_whole(surface, *answer);
        if (!has_ids(surface)) forget_ids(heard);
        REQUIRE(heard == as_told_in(surface, given));
      }
    }
  }
}

TEST_CASE("a streamed answer reaches the client as it was given, in every pair of dialects, however it is cut") {
  for (const Surface surface : k_surfaces) {
    for (const Dialect dialect : k_dialects) {
      for (unsigned seed = 1; seed <= k_rounds; ++seed) {
        Dice dice(seed);
        const std::string pair = pair_name(surface, dialect);
        CAPTURE(pair);
        CAPTURE(seed);
        const Spoken spoken = random_conversation(dice);
        const Held held(surface, dialect, request_in(surface, spoken, Streamed::yes, dice), Streamed::yes);
        const Reply given = random_reply(dice, spoken.tools);
        Reply heard = read_stream(surface, translated(held, stream_in(dialect, given, dice), dice));
        if (!has_ids(surface)) forget_ids(heard);
        REQUIRE(heard == as_told_in(surface, given));
      }
    }
  }
}

TEST_CASE("where client and upstream speak the same dialect, bytes are the same") {
  for (const auto& [surface, dialect] :
       {std::pair{Surface::openai_chat, Dialect::openai}, std::pair{Surface::anthropic_messages, Dialect::anthropic}}) {
    for (unsigned seed = 1; seed <= k_rounds; ++seed) {
      Dice dice(seed);
      const std::string pair = pair_name(surface, dialect);
      CAPTURE(pair);
      CAPTURE(seed);
      const Spoken spoken = random_conversation(dice);
      for (const Streamed streamed : {Streamed::no, Streamed::yes}) {
        const std::string request = request_in(surface, spoken, streamed, dice);
        const Held held(surface, dialect, request, streamed);
        CHECK(held.upstream_body == request);
        const Reply given = random_reply(dice, spoken.tools);
        if (streamed == Streamed::no) {
          const std::string answer = whole_in(dialect, given);
          CHECK(held.conversation->answer(answer).value() == answer);
        } else {
          const std::string stream = stream_in(dialect, given, dice);
          CHECK(translated(held, stream, dice) == stream);
        }
      }
    }
  }
}

}  // namespace nemo::test::round_trip_test
