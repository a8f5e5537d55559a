#include "shared/json_escape.h"

namespace nemo {
namespace {

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";

// How many bytes from `at` on stand for themselves.
std::size_t plain_run(std::string_view text, std::size_t at) {
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  std::size_t end = at;
  while (end < text.size() && is_plain(text[end])) ++end;
  return end - at;
}

bool is_continuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80U) return 1;
  const auto second = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
  if (lead >= 0xC2U && lead <= 0xDFU) return is_continuation(text, at + 1) ? 2 : 0;
  if (lead >= 0xE0U && lead <= 0xEFU) {
    // No overlong forms, no surrogates.
    if ((lead == 0xE0U && second < 0xA0U) || (lead == 0xEDU && second > 0x9FU)) return 0;
    return is_continuation(text, at + 1) && is_continuation(text, at + 2) ? 3 : 0;
  }
  if (lead >= 0xF0U && lead <= 0xF4U) {
    if ((lead == 0xF0U && second < 0x90U) || (lead == 0xF4U && second > 0x8FU)) return 0;
    const bool whole = is_continuation(text, at + 1) && is_continuation(text, at + 2) && is_continuation(text, at + 3);
    return whole ? 4 : 0;
  }
  return 0;
}

void append_json_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view k_hex = "0123456789abcdef";
  std::size_t at = 0;
  for (;;) {
    const std::size_t plain = plain_run(text, at);
    out.append(text.substr(at, plain));
    at += plain;
    if (at == text.size()) return;
    const char c = text[at];
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view k_from = "\"\\\b\f\n\r\t";
    constexpr std::string_view k_to = "\"\\bfnrt";
    if (const std::size_t which = k_from.find(c); which != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(k_to[which]);
      ++at;
    } else if (byte < 0x20U) {
      out.append("\\u00");
      out.push_back(k_hex[byte >> 4U]);
      out.push_back(k_hex[byte & 0x0FU]);
      ++at;
    } else if (const std::size_t length = utf8_length(text, at); length != 0) {
      out.append(text.substr(at, length));
      at += length;
    } else {
      out.append(k_replacement);
      ++at;
    }
  }
}

}  // namespace nemo
