#include "daemon/protocol/fim/echo_filter.h"

#include <algorithm>

#include "daemon/protocol/fim/repetition.h"

namespace nemo::protocol {
namespace {

constexpr std::string_view k_blanks = " \t";

bool tells_in_line(std::string_view line) {
  constexpr std::size_t k_least = 3;
  return line.size() >= k_least && count_solid(line) > 0;
}

bool tells_without_indentation(std::string_view line) {
  constexpr std::size_t k_least = 3;
  constexpr std::size_t k_least_solid = 4;
  if (line.size() >= k_least && is_word(line.back())) return true;
  return count_solid(line) >= k_least_solid && line.find_first_of(k_blanks) != std::string_view::npos;
}

}  // namespace

EchoFilter::EchoFilter(std::string_view prefix) {
  std::string_view window = prefix;
  if (prefix.size() > k_longest) {
    window = prefix.substr(prefix.size() - k_longest);
    const auto line_end = window.find('\n');
    window.remove_prefix(line_end == std::string_view::npos ? window.size() : line_end + 1);
  }
  const std::size_t line = window.rfind('\n') + 1;  // npos + 1 is 0
  const auto add_if = [this](bool tells, std::string_view end) {
    if (tells) m_ends.push_back(end);
  };
  for (std::size_t at = 0; at < line; at = window.find('\n', at) + 1) m_ends.push_back(window.substr(at));
  // What is too little is the shortest of them.
  while (!m_ends.empty() && !is_telling(m_ends.back())) m_ends.pop_back();
  const std::string_view last = window.substr(line);
  const std::size_t indentation = std::min(last.find_first_not_of(k_blanks), last.size());
  const std::string_view bare = last.substr(indentation);
  if (indentation > 0) add_if(tells_in_line(last), last);
  add_if(!bare.empty() && tells_without_indentation(bare), bare);
}

void EchoFilter::push(std::string_view text, std::string& out) {
  if (m_is_decided) {
    out.append(text);
    return;
  }
  m_held.append(text);
  if (!may_grow()) decide(out);
}

void EchoFilter::finish(std::string& out) {
  if (!m_is_decided) decide(out);
}

bool EchoFilter::may_grow() const {
  return std::any_of(m_ends.begin(), m_ends.end(),
                     [this](std::string_view end) { return end.size() > m_held.size() && end.starts_with(m_held); });
}

void EchoFilter::decide(std::string& out) {
  const std::string_view held = m_held;
  const auto echo =
      std::find_if(m_ends.begin(), m_ends.end(), [held](std::string_view end) { return held.starts_with(end); });
  out.append(held.substr(echo == m_ends.end() ? 0 : echo->size()));
  m_held.clear();
  m_is_decided = true;
}

}  // namespace nemo::protocol
