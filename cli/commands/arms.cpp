#include "cli/commands/arms.h"

#include <charconv>
#include <cmath>
#include <string_view>

namespace nemo::cli::commands {
namespace {

constexpr double k_percent = 100;

Error malformed(std::string_view arm) {
  return fail(
      ErrorKind::invalid_request,
      "an arm is a model and its weight, a whole number, such as gemini-2.5-flash=50; not \"" + std::string(arm) + "\"",
      "arms");
}

Result<admin::Arm> parse_arm(std::string_view text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) return malformed(text);
  const std::string_view number = text.substr(equals + 1);
  admin::Arm arm{std::string(text.substr(0, equals)), 0};
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), arm.weight);
  if (number.empty() || error != std::errc() || end != number.data() + number.size()) return malformed(text);
  return arm;
}

}  // namespace

Result<std::vector<admin::Arm>> parse_arms(const std::string& text) {
  std::vector<admin::Arm> arms;
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    auto arm = parse_arm(rest.substr(0, comma));
    if (!arm) return arm.error();
    arms.push_back(std::move(arm).value());
    if (comma == std::string_view::npos) return arms;
    rest.remove_prefix(comma + 1);
  }
}

std::string describe_arms(const std::vector<admin::Arm>& arms) {
  double sum = 0;
  for (const admin::Arm& arm : arms) sum += static_cast<double>(arm.weight);
  std::string text;
  for (const admin::Arm& arm : arms) {
    const double share = sum > 0 ? k_percent * static_cast<double>(arm.weight) / sum : 0;
    text += (text.empty() ? "" : ", ") + arm.model + " " + std::to_string(std::llround(share)) + " %";
  }
  return text;
}

}  // namespace nemo::cli::commands
