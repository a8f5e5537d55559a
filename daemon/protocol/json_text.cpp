#include "daemon/protocol/json_text.h"

#include <array>
#include <charconv>

namespace nemo::protocol {
namespace {

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";

// Four hex digits at the start of `text`; -1: there are not.
std::int32_t hex4(std::string_view text) {
  if (text.size() < 4) return -1;
  std::int32_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + 4, value, 16);
  return fault == std::errc{} && end == text.data() + 4 && value >= 0 ? value : -1;
}

void append_code_point(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80U) {
    put(code);
  } else if (code < 0x800U) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000U) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

// `rest` begins behind "\u". Returns how many bytes of it were used.
std::size_t append_unicode_escape(std::string& out, std::string_view rest) {
  const std::int32_t first = hex4(rest);
  if (first < 0) {
    out.append(k_replacement);
    return 0;
  }
  const bool is_high = first >= 0xD800 && first < 0xDC00;
  const bool is_low = first >= 0xDC00 && first < 0xE000;
  if (is_high && rest.substr(4, 2) == "\\u") {
    const std::int32_t second = hex4(rest.substr(6));
    if (second >= 0xDC00 && second < 0xE000) {
      append_code_point(out, static_cast<std::uint32_t>(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)));
      return 10;
    }
  }
  if (is_high || is_low) {
    out.append(k_replacement);
  } else {
    append_code_point(out, static_cast<std::uint32_t>(first));
  }
  return 4;
}

bool is_continuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

}  // namespace

std::string unescape(std::string_view body) {
  std::string out;
  out.reserve(body.size());
  std::size_t at = 0;
  while (at < body.size()) {
    const std::size_t slash = body.find('\\', at);
    out.append(body.substr(at, slash - at));
    if (slash == std::string_view::npos || slash + 1 >= body.size()) break;
    at = slash + 2;
    constexpr std::string_view k_from = "bfnrt";
    constexpr std::string_view k_to = "\b\f\n\r\t";
    const char c = body[slash + 1];
    if (c == 'u') {
      at += append_unicode_escape(out, body.substr(at));
    } else if (const std::size_t which = k_from.find(c); which != std::string_view::npos) {
      out.push_back(k_to[which]);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::optional<std::string> read_text(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"' || raw.back() != '"') return std::nullopt;
  return unescape(raw.substr(1, raw.size() - 2));
}

std::optional<std::int64_t> read_integer(std::string_view raw) {
  std::int64_t value = 0;
  const char* const last = raw.data() + raw.size();
  const auto [end, fault] = std::from_chars(raw.data(), last, value);
  if (fault != std::errc{}) return std::nullopt;
  if (end == last) return value;
  const std::string_view rest(end, static_cast<std::size_t>(last - end));
  const bool is_whole = rest.size() > 1 && rest[0] == '.' && rest.find_first_not_of('0', 1) == std::string_view::npos;
  return is_whole ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> read_token_count(std::string_view raw) {
  constexpr std::int64_t k_most_tokens = 1'000'000'000;  // no model reads or writes this much in one call
  const auto count = read_integer(raw);
  return count && *count >= 0 && *count <= k_most_tokens ? count : std::nullopt;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view k_space = " \t\r\n";
  const std::size_t first = text.find_first_not_of(k_space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(k_space) - first + 1);
}

std::string_view cut_text(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && is_continuation(text, end)) --end;
  return text.substr(0, end);
}

}  // namespace nemo::protocol
