// What one OpenAI answer or chunk says, as far as Ollama's shape has a place for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace nemo::protocol {

// Raw values of the first choice, views into the JSON; empty: not there, or null.
struct HubSaid {
  std::string_view content;  // text, or a list of parts
  std::string_view refusal, thinking, tool_calls, finish_reason;
  bool has_choices = false;
  bool has_usage = false;
  bool has_error = false;

  std::string text() const;  // what stands between the quotes of all that is said to the user
};
std::optional<HubSaid> read_hub_said(std::string_view json);  // nullopt: not a JSON object

// Ollama gives a tool call whole, its arguments as an object; OpenAI gives it in pieces, its arguments as text.
class ToolCallGatherer {
 public:
  static constexpr std::size_t k_most_calls = 128;                    // what OpenAI lets a model call at once
  static constexpr std::size_t k_most_bytes = std::size_t{4} << 20U;  // of all arguments: a file's text fits

  // `tool_calls`: raw, of a message or a delta. upstream_error: more than the bounds.
  Status add(std::string_view tool_calls);
  bool empty() const { return m_calls.empty(); }
  // The list in Ollama's shape, and nothing is left. upstream_error: arguments that are no JSON object; where the
  // answer was `cut` short they are left out instead.
  enum class Cut : std::uint8_t { no, yes };
  Result<std::string> take(Cut cut);

 private:
  struct Call {
    std::int64_t index = 0;
    std::string id, name;   // raw
    std::string arguments;  // what stands between the quotes of its pieces
  };
  Status add_piece(std::string_view raw);
  Call* find(std::optional<std::int64_t> index, std::string_view id, std::string_view name);

  std::vector<Call> m_calls;
  std::size_t m_bytes = 0;
};

}  // namespace nemo::protocol
