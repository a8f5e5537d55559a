#include "daemon/protocol/fim/overlap_filter.h"

#include "daemon/protocol/fim/repetition.h"
#include "daemon/protocol/json_text.h"

namespace nemo::protocol {

SuffixStart::SuffixStart(std::string_view suffix)
    : m_text(cut_text(suffix, k_longest)), m_borders(m_text.size() + 1, 0) {
  std::size_t border = 0;
  for (std::size_t length = 2; length <= m_text.size(); ++length) {
    const char next = m_text[length - 1];
    while (border > 0 && m_text[border] != next) border = m_borders[border];
    if (m_text[border] == next) ++border;
    m_borders[length] = static_cast<std::uint16_t>(border);
  }
}

void OverlapFilter::push(std::string_view text, std::string& out) {
  const std::string_view suffix = m_suffix.text();
  if (suffix.empty()) {
    out.append(text);
    return;
  }
  for (const char next : text) {
    while (m_held > 0 && (m_held == suffix.size() || suffix[m_held] != next)) {
      const std::size_t border = m_suffix.border(m_held);
      out.append(suffix.substr(0, m_held - border));
      m_held = border;
    }
    if (suffix[m_held] == next) {
      ++m_held;
    } else {
      out.push_back(next);
    }
  }
}

void OverlapFilter::finish(std::string& out) {
  const std::string_view held = m_suffix.text().substr(0, m_held);
  if (!is_telling(held)) out.append(held);
  m_held = 0;
}

}  // namespace nemo::protocol
