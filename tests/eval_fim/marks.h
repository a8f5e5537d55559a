// The families' marks as their model cards have them, told here a second time: what checks the daemon's table must not
// be made from it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace nemo::eval {

struct Marks {
  std::string_view name;  // as the daemon's config has it
  std::string_view first;
  std::string_view second;
  std::string_view last;
  bool suffix_first = false;
};

inline constexpr std::array<Marks, 7> k_marks{{
    {"qwen", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},
    {"starcoder", "<fim_prefix>", "<fim_suffix>", "<fim_middle>"},
    {"codellama", "<PRE> ", " <SUF>", " <MID>"},
    {"deepseek", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"},
    {"codestral", "[SUFFIX]", "[PREFIX]", "", true},
    {"seed-coder", "<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>"},
    {"glm", "<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"},
}};

inline std::string mark_hole(const Marks& marks, const std::string& prefix, const std::string& suffix) {
  const std::string& before = marks.suffix_first ? suffix : prefix;
  const std::string& behind = marks.suffix_first ? prefix : suffix;
  return std::string(marks.first) + before + std::string(marks.second) + behind + std::string(marks.last);
}

struct Sides {
  std::string prefix;
  std::string suffix;
};

// What a model with these marks sees; other files before the first mark are not looked at. nullopt: not its shape.
inline std::optional<Sides> read_marked(const Marks& marks, std::string_view prompt) {
  const auto first = prompt.find(marks.first);
  const auto second = prompt.find(marks.second, first == std::string_view::npos ? first : first + marks.first.size());
  if (second == std::string_view::npos || !prompt.ends_with(marks.last)) return std::nullopt;
  const auto before_at = first + marks.first.size();
  const std::string before(prompt.substr(before_at, second - before_at));
  const auto behind_at = second + marks.second.size();
  const std::string behind(prompt.substr(behind_at, prompt.size() - marks.last.size() - behind_at));
  return marks.suffix_first ? Sides{behind, before} : Sides{before, behind};
}

}  // namespace nemo::eval
