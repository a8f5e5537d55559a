#include "daemon/catalog/guess_fim.h"

#include <array>
#include <string>

namespace nemo::catalog {
namespace {

using call::FimForm;

// A name that holds both words; the first row that fits counts.
struct Hint {
  std::string_view word;
  std::string_view other;
  FimForm form;
};

constexpr std::array<Hint, 20> k_hints{{
    {"codeqwen", "", FimForm::starcoder},
    {"qwen", "coder", FimForm::qwen},
    {"seed-coder", "", FimForm::seed_coder},
    {"codegemma", "", FimForm::codegemma},
    {"granite", "code", FimForm::starcoder},  // the older ones, trained as StarCoder was
    {"granite", "", FimForm::granite},
    {"starcoder", "", FimForm::starcoder},
    {"star-coder", "", FimForm::starcoder},
    {"santacoder", "", FimForm::starcoder},
    {"stable-code", "", FimForm::starcoder},
    {"stablecode", "", FimForm::starcoder},
    {"codellama", "", FimForm::codellama},
    {"code-llama", "", FimForm::codellama},
    {"code_llama", "", FimForm::codellama},
    {"deepseek", "coder", FimForm::deepseek},
    {"codestral", "", FimForm::codestral},
    {"codegeex", "", FimForm::codegeex},
    {"chatglm", "", FimForm::glm},
    {"glm-4", "", FimForm::glm},
    {"glm4", "", FimForm::glm},
}};

bool holds(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

}  // namespace

std::optional<FimForm> guess_fim(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const Hint& hint : k_hints) {
    if (!holds(lower, hint.word) || !holds(lower, hint.other)) continue;
    return holds(lower, ":") ? FimForm::suffix : hint.form;
  }
  return std::nullopt;
}

}  // namespace nemo::catalog
