#include "daemon/stream/sse_scanner.h"

#include <algorithm>

namespace nemo::stream {
namespace {

// Capacity that an idle buffer may keep: many chunks in one read fit, a rare giant event does not stay.
constexpr std::size_t k_kept_capacity = std::size_t{64} << 10U;
constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

// Looks in windows: two searches each, but a stream without the one line ending does not cost a search to its end per
// line.
std::size_t find_line_end(std::string_view text, std::size_t from) {
  constexpr std::size_t k_window = 512;
  while (from < text.size()) {
    const std::string_view window = text.substr(from, k_window);
    const std::size_t lf = std::min(window.find('\n'), window.size());
    const std::size_t end = std::min(window.substr(0, lf).find('\r'), lf);
    if (end < window.size()) return from + end;
    from += window.size();
  }
  return text.size();
}

}  // namespace

void SseScanner::feed(std::string_view bytes) {
  if (m_begin == m_buffer.size()) {
    m_buffer.clear();
    if (m_buffer.capacity() > k_kept_capacity) m_buffer.shrink_to_fit();
    m_scanned = m_begin = 0;
  } else if (m_begin > m_buffer.size() / 2) {
    // Moving less than half of it keeps the cost per byte constant.
    m_buffer.erase(0, m_begin);
    m_scanned -= m_begin;
    m_begin = 0;
  }
  m_buffer.append(bytes);
}

SseScanner::Scan SseScanner::scan() {
  const std::size_t limit = std::min(m_buffer.size(), m_begin + k_largest_event);
  const std::string_view text = std::string_view(m_buffer).substr(0, limit);
  while (m_scanned < limit) {
    const std::size_t end = find_line_end(text, m_scanned);
    if (end > m_scanned) m_line_is_empty = false;
    m_scanned = end;
    if (end == limit) break;
    const bool is_cr = text[end] == '\r';
    if (is_cr && end + 1 == m_buffer.size() && !m_finished) return Scan::more_bytes_needed;
    const bool is_crlf = is_cr && end + 1 < m_buffer.size() && m_buffer[end + 1] == '\n';
    m_scanned += is_crlf ? 2 : 1;
    const bool ends_event = m_line_is_empty;
    m_line_is_empty = true;
    if (ends_event) return Scan::event_ended;
  }
  return m_scanned - m_begin >= k_largest_event ? Scan::too_large : Scan::more_bytes_needed;
}

std::optional<SseEvent> SseScanner::next() {
  switch (scan()) {
    case Scan::more_bytes_needed:
      return std::nullopt;
    case Scan::too_large:
      m_is_piece = true;
      return hand_out();
    case Scan::event_ended:
      break;
  }
  const SseEvent event = hand_out();
  m_is_piece = false;
  return event;
}

std::optional<SseEvent> SseScanner::finish() {
  m_finished = true;
  if (auto event = next()) return event;
  if (m_begin == m_buffer.size()) return std::nullopt;
  m_scanned = m_buffer.size();
  return hand_out();
}

SseEvent SseScanner::hand_out() {
  const std::string_view raw = std::string_view(m_buffer).substr(m_begin, m_scanned - m_begin);
  m_begin = m_scanned;
  SseEvent event{raw, {}, {}};
  if (!m_is_piece) event = read(raw);
  m_at_stream_start = false;
  return event;
}

SseEvent SseScanner::read(std::string_view raw) {
  SseEvent event{raw, {}, {}};
  std::string_view rest = raw;
  if (m_at_stream_start && rest.substr(0, k_byte_order_mark.size()) == k_byte_order_mark) {
    rest.remove_prefix(k_byte_order_mark.size());
  }
  std::size_t data_lines = 0;
  while (!rest.empty()) {
    const std::size_t end = find_line_end(rest, 0);
    read_line(rest.substr(0, end), event, data_lines);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return event;
}

void SseScanner::read_line(std::string_view line, SseEvent& event, std::size_t& data_lines) {
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (name == "event") {
    event.event = value;
  } else if (name == "data") {
    ++data_lines;
    if (data_lines == 1) {
      event.data = value;
      return;
    }
    if (data_lines == 2) m_joined.assign(event.data);
    m_joined.append("\n").append(value);
    event.data = m_joined;
  }
}

}  // namespace nemo::stream
