// What one call asks for, read from its body, and the deterministic answer to it: the same prompt, model and seed give
// the same words, and every count can be computed by whoever wrote the prompt.
//
//   input tokens   chat: for each message its text bytes / 4, rounded up, + 3; prompts and embedding inputs: bytes / 4,
//                  rounded up, or the number of token ids
//   output tokens  the words of the answer, + the script's reasoning_tokens
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_upstream/script.h"

namespace nemo::fake_upstream {

enum class AskKind { chat, completion, embedding };

struct Ask {
  AskKind kind = AskKind::chat;
  std::string model;
  bool stream = false;
  bool include_usage = false;
  bool base64 = false;           // embeddings: encoding_format
  std::int64_t dimensions = 64;  // embeddings
  std::optional<std::int64_t> max_tokens;
  std::vector<std::string> prompts;  // one for each choice, or for each embedding
  std::int64_t input_tokens = 0;
  std::string tool_result;  // text of a last message whose role is tool
  bool last_is_tool_result = false;
  std::string tool_name;       // the tool that the prompt or the script wants called; empty: none
  std::string tool_arguments;  // JSON text
};

// Never refuses: what is missing is taken as empty.
Ask read_ask(AskKind kind, const Json& body, const Script& script);

struct BilledUsage {
  std::int64_t input_tokens = 0;
  std::int64_t cached_tokens = 0;     // part of input_tokens
  std::int64_t output_tokens = 0;     // reasoning included
  std::int64_t reasoning_tokens = 0;  // part of output_tokens
};

// The "usage" object as the provider would report it.
Json usage_json(const Ask& ask, const Script& script, const BilledUsage& billed);

// The words of one choice.
class Words {
 public:
  Words(const Ask& ask, const Script& script, std::size_t choice);

  std::int64_t count() const { return m_count; }
  bool cut_by_limit() const { return m_cut_by_limit; }
  // With the space that separates it from the word before.
  std::string word(std::int64_t index) const;
  std::string text() const;

 private:
  std::vector<std::string> m_fixed;  // when the text is given and not drawn
  bool m_is_fixed = false;
  std::uint64_t m_hash = 0;
  std::int64_t m_count = 0;
  std::int64_t m_pad_to = 0;
  bool m_unicode = false;
  bool m_cut_by_limit = false;
};

// One embedding: multiples of 1/1024 between -1 and 1, so that text and float32 hold the same value.
std::vector<float> embedding(std::string_view text, std::string_view model, std::int64_t dimensions);

std::uint64_t hash_of(std::string_view text);

}  // namespace nemo::fake_upstream
