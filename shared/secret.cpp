#include "shared/secret.h"

#include <strings.h>

#include <array>
#include <cctype>

namespace nemo {
namespace {

bool is_key_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' || c == '+' || c == '/' ||
         c == '=' || c == '~';
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && strncasecmp(text.data(), start.data(), start.size()) == 0;
}

// What a key begins with, and how many key characters must follow before it counts as one.
struct Marker {
  std::string_view start;
  std::size_t least;
};
constexpr std::array<Marker, 7> k_markers{
    {{"bearer ", 8}, {"sk-", 8}, {"key=", 8}, {"ya29.", 8}, {"AIza", 20}, {"api_key\":\"", 4}, {"x-api-key: ", 4}}};

}  // namespace

Secret::~Secret() {
  volatile char* at = m_text.data();
  for (std::size_t i = 0; i < m_text.size(); ++i) at[i] = '\0';
}

std::string Secret::hint() const {
  constexpr std::size_t k_shortest_shown = 12;
  if (m_text.size() < k_shortest_shown) return "…";
  return "…" + m_text.substr(m_text.size() - 4);
}

std::string redact(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    bool found = false;
    const bool at_word = at == 0 || std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0;
    for (const Marker& marker : k_markers) {
      if (!at_word || !starts_with_ignoring_case(text.substr(at), marker.start)) continue;
      const std::size_t begin = at + marker.start.size();
      std::size_t end = begin;
      while (end < text.size() && is_key_char(text[end])) ++end;
      if (end - begin < marker.least) continue;
      out.append(text.substr(at, marker.start == "sk-" ? 0 : marker.start.size())).append("[redacted]");
      at = end;
      found = true;
      break;
    }
    if (!found) out.push_back(text[at++]);
  }
  return out;
}

}  // namespace nemo
