#include "daemon/protocol/fim/stop_filter.h"

#include <algorithm>

namespace nemo::protocol {
namespace {

// Where the longest end of `text` begins that a stop begins with.
std::size_t begin_of_partial(std::string_view text, std::span<const std::string> stops) {
  std::size_t most = 0;
  for (const std::string& stop : stops) {
    std::size_t length = std::min(stop.size() - 1, text.size());
    while (length > most && !text.ends_with(std::string_view(stop).substr(0, length))) --length;
    most = std::max(most, length);
  }
  return text.size() - most;
}

}  // namespace

void StopFilter::push(std::string_view text, std::string& out) {
  if (m_has_stopped) return;
  if (m_stops.empty()) {
    out.append(text);
    return;
  }
  m_held.append(text);
  const std::string_view held = m_held;
  std::size_t begin = std::string_view::npos;
  std::size_t end = std::string_view::npos;
  for (const std::string& stop : m_stops) {
    const auto at = held.find(stop);
    if (at == std::string_view::npos) continue;
    const std::size_t stop_end = at + stop.size();
    if (stop_end > end || (stop_end == end && at > begin)) continue;
    begin = at;
    end = stop_end;
  }
  m_has_stopped = begin != std::string_view::npos;
  const std::size_t keep_from = m_has_stopped ? begin : begin_of_partial(held, m_stops);
  out.append(held.substr(0, keep_from));
  m_held.erase(0, m_has_stopped ? m_held.size() : keep_from);
}

void StopFilter::finish(std::string& out) {
  out.append(m_held);
  m_held.clear();
}

}  // namespace nemo::protocol
