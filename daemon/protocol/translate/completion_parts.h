// The parts of an answer or chunk in OpenAI's shape, chat or legacy, that another shape of completion is made from.
// Source: OpenAI API reference (chat completions, completions).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nemo::protocol {

// Raw JSON values; empty: not there.
struct CompletionChoice {
  std::string_view index = "0";
  std::string_view content;  // or text
  std::string_view finish_reason = "null";
};

struct CompletionParts {
  std::string_view id, created, model, usage;
  bool has_choices = false;
  bool has_error = false;
  std::vector<CompletionChoice> choices;
};

// nullopt: not a JSON object. Views into the text.
std::optional<CompletionParts> read_completion_parts(std::string_view json);

// What stands between the quotes of a content; a list of parts gives the texts of its parts.
std::string content_body(std::string_view raw);

}  // namespace nemo::protocol
