// How a model is told of a hole in a text that it is to fill.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nemo::call {

// A family of models shares the marks that stand around the parts of the text (protocol/fim).
enum class FimForm : std::uint8_t {
  none,    // it cannot be told: by way of chat, where it chats
  suffix,  // upstream takes the field and does the rest
  qwen,    // Qwen2.5-Coder and later, Mercury
  codegemma,
  granite,
  starcoder,  // StarCoder, StableCode, CodeQwen1.5
  codellama,
  deepseek,
  codestral,
  seed_coder,
  glm,
  codegeex,
  hole_filler,  // a chat prompt that some clients write themselves; no model's own form
};

std::string_view to_string(FimForm form);                     // "seed-coder", …: as the config writes it
std::optional<FimForm> find_fim_form(std::string_view name);  // of what a model may be said to take

}  // namespace nemo::call
