#include "daemon/call/fim_form.h"

#include <array>

namespace nemo::call {
namespace {

struct Named {
  FimForm form;
  std::string_view name;
};

constexpr std::array<Named, 13> k_names{{
    {FimForm::none, "none"},
    {FimForm::suffix, "suffix"},
    {FimForm::qwen, "qwen"},
    {FimForm::codegemma, "codegemma"},
    {FimForm::granite, "granite"},
    {FimForm::starcoder, "starcoder"},
    {FimForm::codellama, "codellama"},
    {FimForm::deepseek, "deepseek"},
    {FimForm::codestral, "codestral"},
    {FimForm::seed_coder, "seed-coder"},
    {FimForm::glm, "glm"},
    {FimForm::codegeex, "codegeex"},
    {FimForm::hole_filler, "hole-filler"},
}};

}  // namespace

std::string_view to_string(FimForm form) {
  for (const Named& one : k_names) {
    if (one.form == form) return one.name;
  }
  return "?";
}

std::optional<FimForm> find_fim_form(std::string_view name) {
  for (const Named& one : k_names) {
    if (one.name == name && one.form != FimForm::hole_filler) return one.form;
  }
  return std::nullopt;
}

}  // namespace nemo::call
