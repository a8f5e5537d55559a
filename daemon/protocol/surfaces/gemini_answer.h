// A chat's answer as generateContent gives it. Source: Gemini API reference (GenerateContentResponse, Candidate,
// UsageMetadata).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/call/usage.h"
#include "daemon/protocol/json_cursor.h"
#include "shared/result.h"

namespace nemo::protocol {

// A choice of a whole answer, or of a chunk. Raw JSON, views into it; empty: not there, or null.
struct ChatChoice {
  std::int64_t index = 0;
  std::string_view content, reasoning, refusal, tool_calls, finish_reason;
};
ChatChoice read_chat_choice(JsonCursor& cursor);

// A tool call, or the part of one that a chunk brings. Raw JSON.
struct ChatCall {
  std::optional<std::int64_t> index;
  std::string_view id, name, arguments, signature;
};
ChatCall read_chat_call(JsonCursor& cursor);

// What a message says, as it stands between quotes; content may come in parts.
struct ChatText {
  std::string text;
  std::string thoughts;
};
ChatText read_chat_text(const ChatChoice& choice);

// The parts of a candidate, gathered in order.
class GeminiParts {
 public:
  void add_text(std::string_view body);     // between the quotes; nothing where it is empty
  void add_thought(std::string_view body);  // the same
  // All but the arguments raw; `arguments` is the text that the chat had in quotes, unescaped. False: it holds no JSON
  // object, and nothing was added.
  bool add_call(std::string_view id, std::string_view name, std::string_view arguments, std::string_view signature);
  bool empty() const { return m_parts.empty(); }
  const std::string& json() const { return m_parts; }  // the elements with commas

 private:
  std::string m_parts;
};

enum class Calls : std::uint8_t { readable, malformed };
// "STOP", …; `raw` is the chat's finish_reason. Nothing is STOP: upstream has ended its answer.
std::string_view gemini_finish_reason(std::string_view raw, Calls calls);
// {"content":…,"finishReason":…,"index":…}; an empty reason: more is to come.
void append_candidate(std::string_view parts, std::string_view reason, std::int64_t index, std::string& out);
std::string gemini_usage(const call::Usage& usage);

enum class Thoughts : std::uint8_t { show, hide };
// upstream_error: it is no chat completion.
Result<std::string> chat_answer_to_gemini(std::string_view answer, std::string_view model, Thoughts thoughts);

}  // namespace nemo::protocol
