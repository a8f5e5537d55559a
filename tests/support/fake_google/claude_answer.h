// Claude's answers: a message sent whole, and the events of a stream. Source: Anthropic API reference (messages,
// streaming, tool use, extended thinking).
//
// Numbers: input as fake_upstream/ask.h counts chat messages, the system prompt being one more message; output the
// words, and with "thinking" on the script's reasoning_tokens, which come first as a thinking block of as many words.
// usage.input_tokens leaves out what was read from the cache (the script's cached_tokens) and written to it.
// A chunk is every event but ping and message_stop: 1 is message_start alone, 3 (5 with thinking …) one word of text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/fake_upstream/ask.h"
#include "tests/support/fake_upstream/playback.h"

namespace nemo::fake_google {

struct ClaudeAsk {
  fake_upstream::Ask ask;
  bool thinks = false;
};

// Reads a Messages body; the words are those that an OpenAI chat of the same texts would get.
ClaudeAsk read_claude_ask(const fake_upstream::Json& body, const std::string& model,
                          const fake_upstream::Script& script);

struct ClaudeAnswer {
  fake_upstream::Ask ask;
  fake_upstream::Script script;
  fake_upstream::BilledUsage planned;
  std::string id;
  std::int64_t cache_write_tokens = 0;  // part of planned.input_tokens
};

std::string claude_message(const ClaudeAnswer& answer);
std::unique_ptr<fake_upstream::Playback> claude_stream(const ClaudeAnswer& answer);

}  // namespace nemo::fake_google
