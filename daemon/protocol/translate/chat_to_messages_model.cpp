#include "daemon/protocol/translate/chat_to_messages_model.h"

#include <algorithm>
#include <charconv>

namespace nemo::protocol {
namespace {

constexpr int k_first_with_thinking = 307;  // hundreds are the major version
constexpr int k_first_adaptive = 407;

// Dates and words are no version.
int read_small_number(std::string_view part) {
  int value = -1;
  const auto [end, fault] = std::from_chars(part.data(), part.data() + part.size(), value);
  const bool is_whole = fault == std::errc{} && end == part.data() + part.size();
  return is_whole && part.size() <= 2 ? value : -1;
}

// 405 for 4.5; 0: the id states none.
int version_of(std::string_view model) {
  const std::size_t begin = model.find("claude-");
  if (begin == std::string_view::npos) return 0;
  model = model.substr(begin, model.find('@', begin) - begin);
  int major = -1;
  while (!model.empty()) {
    const std::size_t end = std::min(model.find_first_of("-."), model.size());
    const int number = read_small_number(model.substr(0, end));
    model.remove_prefix(std::min(end + 1, model.size()));
    if (major >= 0) return major * 100 + std::max(number, 0);
    major = number;
  }
  return std::max(major, 0) * 100;
}

}  // namespace

ClaudeTakes claude_takes(std::string_view model) {
  const int version = version_of(model);
  if (version == 0) return {};
  if (version >= k_first_adaptive) return {Thinking::adaptive, Sampling::refused};
  return {version < k_first_with_thinking ? Thinking::none : Thinking::budget, Sampling::taken};
}

}  // namespace nemo::protocol
