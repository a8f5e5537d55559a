#include "shared/secret.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <utility>

namespace nemo {
namespace {

// The whole buffer, not only the text: a moved-from or shortened string keeps bytes behind its end.
void wipe(std::string& text) noexcept {
  text.resize(text.capacity());
  volatile char* at = text.data();
  for (std::size_t i = 0; i < text.size(); ++i) at[i] = '\0';
  text.clear();
}

bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_key_char(char c) {
  constexpr std::string_view k_others = "-_.+/=~%";
  return is_alnum(c) || k_others.find(c) != std::string_view::npos;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && strncasecmp(text.data(), start.data(), start.size()) == 0;
}

// Where a key lies in a text that begins with a sign of it.
struct Found {
  std::size_t begin = 0;
  std::size_t end = 0;  // == begin: no key
};

Found key_at(std::string_view text, std::size_t begin, std::size_t least) {
  std::size_t end = begin;
  while (end < text.size() && is_key_char(text[end])) ++end;
  return end - begin >= least ? Found{begin, end} : Found{};
}

// What keys themselves begin with, and how long they are at least. They go whole.
struct Prefix {
  std::string_view start;
  std::size_t least;
};
constexpr std::array<Prefix, 4> k_prefixes{{{"sk-", 11}, {"ya29.", 13}, {"AIza", 24}, {"eyJ", 24}}};

// What stands before a key, and how long it is at least. A name of one word needs more than a word behind it, or
// "unexpected token: something" would lose its point.
enum class Looks { anyhow, like_a_key };
struct Name {
  std::string_view text;
  std::size_t least;
  Looks looks;
};
constexpr std::array<Name, 7> k_names{{{"api_key", 4, Looks::anyhow},
                                       {"api-key", 4, Looks::anyhow},
                                       {"apikey", 4, Looks::anyhow},
                                       {"authorization", 8, Looks::anyhow},
                                       {"token", 8, Looks::like_a_key},
                                       {"secret", 8, Looks::like_a_key},
                                       {"password", 8, Looks::like_a_key}}};

bool looks_like_a_key(std::string_view text) {
  constexpr std::size_t k_longer_than_words = 24;
  return text.size() >= k_longer_than_words ||
         std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::size_t skip_any(std::string_view text, std::size_t at, std::string_view chars) {
  return std::min(text.find_first_not_of(chars, at), text.size());
}

// The value behind a name: `api_key: …`, `"api_key" : "…"`, `api_key=…`, also inside JSON inside JSON.
std::size_t value_after(std::string_view text, std::size_t at) {
  at = skip_any(text, at, "\\\"' ");
  if (at == text.size() || (text[at] != ':' && text[at] != '=')) return std::string_view::npos;
  at = skip_any(text, at + 1, "\\\"' ");
  for (const std::string_view scheme : {"bearer ", "basic "}) {
    if (starts_with_ignoring_case(text.substr(at), scheme)) return at + scheme.size();
  }
  return at;
}

Found find_key(std::string_view text) {
  for (const Prefix& prefix : k_prefixes) {
    if (!text.starts_with(prefix.start)) continue;
    if (const Found found = key_at(text, 0, prefix.least); found.end > 0) return found;
  }
  constexpr std::size_t k_least = 8;
  for (const std::string_view before : {"bearer ", "key="}) {
    if (!starts_with_ignoring_case(text, before)) continue;
    if (const Found found = key_at(text, before.size(), k_least); found.end > 0) return found;
  }
  for (const Name& name : k_names) {
    if (!starts_with_ignoring_case(text, name.text)) continue;
    const std::size_t begin = value_after(text, name.text.size());
    if (begin == std::string_view::npos) continue;
    const Found found = key_at(text, begin, name.least);
    if (found.end == 0) continue;
    if (name.looks == Looks::anyhow || looks_like_a_key(text.substr(begin, found.end - begin))) return found;
  }
  return {};
}

}  // namespace

Secret::Secret(std::string text) : m_text(std::move(text)) {
  // A short text was copied, not moved.
  wipe(text);
}

Secret::Secret(Secret&& other) noexcept : m_text(std::move(other.m_text)) {
  wipe(other.m_text);
}

Secret& Secret::operator=(const Secret& other) {
  if (this == &other) return *this;
  wipe(m_text);
  m_text = other.m_text;
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe(m_text);
  m_text = std::move(other.m_text);
  wipe(other.m_text);
  return *this;
}

Secret::~Secret() {
  wipe(m_text);
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
    const bool in_word = at > 0 && is_alnum(text[at - 1]);
    const Found key = in_word ? Found{} : find_key(text.substr(at));
    if (key.end == 0) {
      out.push_back(text[at++]);
      continue;
    }
    out.append(text.substr(at, key.begin)).append("[redacted]");
    at += key.end;
  }
  return out;
}

}  // namespace nemo
