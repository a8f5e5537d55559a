#include "daemon/protocol/translate/fence_filter.h"

namespace nemo::protocol {
namespace {

constexpr std::string_view k_fence = "```";
constexpr std::string_view k_space = " \t\r\n";
constexpr std::size_t k_longest_held = 256;  // more is no fence line, and the user waits for it

std::size_t end_without(std::string_view text, std::string_view characters) {
  return text.find_last_not_of(characters) + 1;  // npos + 1 is 0
}

// Where the line end before `line_begin` begins.
std::size_t before_line_end(std::string_view text, std::size_t line_begin) {
  const std::size_t at = line_begin - 1;
  return at > 0 && text[at - 1] == '\r' ? at - 1 : at;
}

// Where the end of `text` begins that may be, or become, the closing line with the line end before it.
// `nothing_before`: text is at a line's start.
std::size_t closing_begin(std::string_view text, bool nothing_before) {
  const auto from_line = [&](std::size_t line_begin, std::size_t otherwise) {
    if (line_begin == 0) return nothing_before ? 0 : otherwise;
    return text[line_begin - 1] == '\n' ? before_line_end(text, line_begin) : otherwise;
  };
  const std::size_t solid_end = end_without(text, k_space);
  const std::size_t ticks_begin = end_without(text.substr(0, solid_end), "`");
  const std::size_t ticks = solid_end - ticks_begin;
  const bool whole_or_growing = ticks == k_fence.size() || (ticks < k_fence.size() && solid_end == text.size());
  // No mark so far: the last line may get one.
  const std::size_t last_line = end_without(text, " \t");
  const std::size_t may_be_cut = text.ends_with('\r') ? text.size() - 1 : text.size();
  const std::size_t unmarked = from_line(last_line, may_be_cut);
  if (ticks == 0 || !whole_or_growing) return unmarked;
  return from_line(end_without(text.substr(0, ticks_begin), " \t"), unmarked);
}

}  // namespace

void FenceFilter::push(std::string_view text, std::string& out) {
  if (m_state == State::open_text) {
    out.append(text);
    return;
  }
  m_held.append(text);
  if (m_state == State::at_start) look_for_opening(out);
  if (m_state == State::inside) release(out);
}

void FenceFilter::look_for_opening(std::string& out) {
  const std::size_t begin = m_held.find_first_not_of(k_space);
  const std::string_view text =
      begin == std::string::npos ? std::string_view() : std::string_view(m_held).substr(begin);
  const bool may_be_fence = k_fence.substr(0, text.size()) == text.substr(0, k_fence.size());
  const std::size_t line_end = text.find('\n');
  // The same is seen whether it comes in pieces or at once.
  const bool has_line = line_end != std::string_view::npos && begin + line_end < k_longest_held;
  const bool is_plain_line = text.size() <= k_fence.size() ||
                             text.substr(k_fence.size(), line_end - k_fence.size()).find('`') == std::string_view::npos;
  if (may_be_fence && is_plain_line && has_line) {
    m_held.erase(0, begin + line_end + 1);
    m_state = State::inside;
  } else if (!may_be_fence || !is_plain_line || m_held.size() > k_longest_held) {
    out.append(m_held);
    m_held.clear();
    m_state = State::open_text;
  }
}

void FenceFilter::release(std::string& out) {
  std::size_t keep_from = closing_begin(m_held, m_nothing_passed);
  if (m_held.size() - keep_from > k_longest_held) keep_from = m_held.size();
  if (keep_from == 0) return;
  out.append(m_held, 0, keep_from);
  m_held.erase(0, keep_from);
  m_nothing_passed = false;
}

void FenceFilter::finish(std::string& out) {
  const bool is_closing = m_state == State::inside && m_held.find(k_fence) != std::string::npos;
  if (!is_closing) out.append(m_held);
  m_held.clear();
  m_state = State::open_text;
}

}  // namespace nemo::protocol
