// Gemini's native answers: generateContent whole, and the events of streamGenerateContent?alt=sse. Source: Vertex AI
// reference (generateContent, function calling, thinking).
//
// Numbers: input as fake_upstream/ask.h counts chat messages, the system instruction being one more message; output the
// words, beside them the script's reasoning_tokens as thoughtsTokenCount. Thoughts come first, as parts, when the
// request includes them. A chunk is every event: 1 is a thought or one word of text; calls of functions come in one
// event, each with a thoughtSignature; the last event has the finish reason and the usage, those before it the prompt's
// count alone. An event that breaks a stream off is Google's error.
#pragma once

#include <memory>
#include <string>

#include "tests/support/fake_google/google_reply.h"
#include "tests/support/fake_upstream/ask.h"
#include "tests/support/fake_upstream/playback.h"

namespace nemo::fake_google {

struct GeminiAsk {
  fake_upstream::Ask ask;
  bool includes_thoughts = false;
};

// What is wrong with a body or a query, in words; empty: nothing. Google takes no field that it does not know.
std::string object_to_gemini(const Json& body, bool streamed, std::string_view query);

// Reads a generateContent body; the words are those that an OpenAI chat of the same texts would get.
GeminiAsk read_gemini_ask(const Json& body, const std::string& model, bool streamed,
                          const fake_upstream::Script& script);

struct GeminiAnswer {
  GeminiAsk read;
  fake_upstream::Script script;
  fake_upstream::BilledUsage planned;
  std::string id;
  ErrorForm form = ErrorForm::object;
};

std::string gemini_whole(const GeminiAnswer& answer);
std::unique_ptr<fake_upstream::Playback> gemini_stream(const GeminiAnswer& answer);

}  // namespace nemo::fake_google
