// Prompts in which a hole is marked by a model family's own sentinels. Editors render them for the family that they
// read out of a model's name; here they are read back, and written for the family that answers.
// Sources: the model cards of the families, and what Continue, llama.vim, CodeGPT and Zed send.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/call/fim_form.h"

namespace nemo::protocol {

struct FimFile {
  std::string path;  // empty: not told
  std::string content;

  bool operator==(const FimFile&) const = default;
};

struct FimPrompt {
  call::FimForm family = call::FimForm::suffix;  // in which it was told; `suffix`: in fields of their own
  std::string prefix;
  std::string suffix;
  std::vector<FimFile> files = {};  // others, for context
  std::string repo = {};
  std::string path = {};      // of the file with the hole
  std::string language = {};  // CodeGeeX

  bool operator==(const FimPrompt&) const = default;
};

// nullopt: the text is not such a prompt as a whole; one that only holds some sentinels is a text like any other.
std::optional<FimPrompt> parse_fim_prompt(std::string_view text);

// The prompt as `family` has it. A family without marks for other files gets them as text before the prefix, each under
// a "+++++ path" line. For `suffix` it is the part before the hole alone. Never asked for `none`.
std::string render_fim_prompt(call::FimForm family, const FimPrompt& prompt);

// Where a model of that family has gone past the hole.
std::vector<std::string> fim_stops(call::FimForm family, const FimPrompt& prompt);

// Whether what was told for one family reads the same to the other.
bool is_same_fim_text(call::FimForm one, call::FimForm other, const FimPrompt& prompt);

}  // namespace nemo::protocol
