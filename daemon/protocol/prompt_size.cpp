#include "daemon/protocol/prompt_size.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace nemo::protocol {
namespace {

// With their quotes: the same word inside a text has a backslash before its closing quote.
constexpr std::string_view k_image_part = "\"image_url\"";  // OpenAI's, as a key
constexpr std::string_view k_image_block = "\"image\"";     // Anthropic's, as the value of "type"
constexpr std::string_view k_image_list = "\"images\"";     // Ollama's
constexpr std::string_view k_image_url = "\"data:image/";
constexpr std::string_view k_base64_url = ";base64,";
constexpr std::string_view k_data = "\"data\"";
constexpr std::string_view k_space = " \t\r\n";
// A source says what it holds right beside the data; objects with more around it are text.
constexpr std::size_t k_widest_source = 256;
// No picture is smaller; what is shorter may be a word.
constexpr std::size_t k_shortest_image = 32;

// The bytes that are not ASCII, eight at a time: every call's whole body goes through here.
std::size_t count_other(std::string_view text) {
  constexpr std::uint64_t k_ones = 0x0101010101010101U;
  constexpr std::size_t k_most_words = 31;  // so that no byte of a sum, nor the sum of all eight, passes 255
  std::size_t other = 0;
  while (text.size() >= sizeof(std::uint64_t)) {
    const std::size_t words = std::min(text.size() / sizeof(std::uint64_t), k_most_words);
    std::uint64_t sums = 0;
    for (std::size_t i = 0; i < words; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + i * sizeof word, sizeof word);
      sums += word >> 7U & k_ones;
    }
    other += sums * k_ones >> 56U;
    text.remove_prefix(words * sizeof(std::uint64_t));
  }
  for (const char c : text) other += static_cast<std::uint8_t>(c) >> 7U;
  return other;
}

// The next quote with a letter behind it that one of the words above begins with; npos: there is none.
std::size_t find_sign(std::string_view body, std::size_t at) {
#if defined(__SSE2__)
  constexpr std::size_t k_at_once = sizeof(__m128i);
  const auto same = [](__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
  for (; at + k_at_once < body.size(); at += k_at_once) {
    __m128i here;
    __m128i behind;
    std::memcpy(&here, body.data() + at, k_at_once);
    std::memcpy(&behind, body.data() + at + 1, k_at_once);
    const __m128i letters = _mm_or_si128(same(behind, 'd'), _mm_or_si128(same(behind, 'f'), same(behind, 'i')));
    const int signs = _mm_movemask_epi8(_mm_and_si128(same(here, '"'), letters));
    if (signs != 0) return at + static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(signs)));
  }
#endif
  for (; at + 1 < body.size(); ++at) {
    if (body[at] == '"' && (body[at + 1] == 'd' || body[at + 1] == 'f' || body[at + 1] == 'i')) return at;
  }
  return std::string_view::npos;
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(k_space, at), text.size());
}

bool is_base64(std::string_view text) {
  constexpr std::string_view k_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\\";
  static const std::array<bool, 256> k_fits = [&] {
    std::array<bool, 256> fits{};
    for (const char c : k_alphabet) fits[static_cast<std::uint8_t>(c)] = true;
    return fits;
  }();
  return std::all_of(text.begin(), text.end(), [&](char c) { return k_fits[static_cast<std::uint8_t>(c)]; });
}

// The text that begins at `at` or behind white space, without its quotes; empty: there is none.
std::string_view text_at(std::string_view body, std::size_t at) {
  at = skip_space(body, at);
  if (at >= body.size() || body[at] != '"') return {};
  const auto end = body.find('"', at + 1);
  return end == std::string_view::npos ? std::string_view() : body.substr(at + 1, end - at - 1);
}

bool holds_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

// What stands in the object around a value, before and behind it, as far as a source's own words can be.
struct Around {
  std::string_view before;   // from the object's brace on
  std::string_view outside;  // before that brace
  std::string_view behind;   // up to the closing brace
};

Around around(std::string_view body, std::size_t begin, std::size_t end) {
  const std::size_t from = begin > k_widest_source ? begin - k_widest_source : 0;
  const std::string_view before = body.substr(from, begin - from);
  const std::size_t brace = std::min(before.rfind('{'), before.size());
  const std::string_view behind = body.substr(end, k_widest_source);
  return {before.substr(brace), before.substr(0, brace), behind.substr(0, behind.find('}'))};
}

bool is_inline_data(std::string_view before_brace) {
  const std::size_t colon = before_brace.find_last_not_of(k_space);
  if (colon == std::string_view::npos || before_brace[colon] != ':') return false;
  const std::string_view key = before_brace.substr(0, before_brace.find_last_not_of(k_space, colon - 1) + 1);
  return key.ends_with("\"inlineData\"") || key.ends_with("\"inline_data\"");
}

// {"type":"base64","media_type":"image/png","data":"…"}, "inlineData":{"mimeType":"image/png","data":"…"}
bool is_image_source(const Around& around) {
  for (const std::string_view side : {around.before, around.behind}) {
    if (!holds_any(side, {"\"image/"}) || !holds_any(side, {"\"media_type\"", "\"mimeType\"", "\"mime_type\""}))
      continue;
    return holds_any(around.before, {"\"base64\""}) || holds_any(around.behind, {"\"base64\""}) ||
           is_inline_data(around.outside);
  }
  return false;
}

// Goes once from sign to sign.
class ImageScan {
 public:
  explicit ImageScan(std::string_view body) : m_body(body) {
    for (std::size_t at = find_sign(body, 0); at != std::string_view::npos; at = find_sign(body, at)) at = look(at);
  }

  std::size_t data_bytes() const { return m_data_bytes; }
  std::int64_t images() const { return std::max(m_in_body, m_parts + m_blocks + m_files); }

 private:
  // Returns where to go on.
  std::size_t look(std::size_t at) {
    const std::string_view rest = m_body.substr(at);
    const char first = rest[1];
    if (first == 'd' && rest.starts_with(k_image_url)) return take_data_url(at);
    if (first == 'd' && rest.starts_with(k_data)) return take_source(at);
    if (first == 'f' && (rest.starts_with("\"fileUri\"") || rest.starts_with("\"file_uri\""))) ++m_files;
    if (first == 'i' && rest.starts_with(k_image_part) && is_key(at + k_image_part.size())) ++m_parts;
    if (first == 'i' && rest.starts_with(k_image_block) && is_value(at)) ++m_blocks;
    if (first == 'i' && rest.starts_with(k_image_list)) return take_list(at);
    return at + 1;
  }

  void take(std::string_view data) {
    ++m_in_body;
    m_data_bytes += data.size();
  }

  bool is_value(std::size_t at) const {
    const std::size_t before = m_body.substr(0, at).find_last_not_of(k_space);
    return before != std::string_view::npos && m_body[before] == ':';
  }

  bool is_key(std::size_t after) const {
    const std::size_t colon = skip_space(m_body, after);
    return colon < m_body.size() && m_body[colon] == ':';
  }

  std::size_t value_of(std::size_t after_key) const {
    const std::size_t colon = skip_space(m_body, after_key);
    return colon < m_body.size() && m_body[colon] == ':' ? skip_space(m_body, colon + 1) : m_body.size();
  }

  // Base64 holds no quote and no backslash but the escaped slash, so the next quote ends it.
  std::size_t take_data_url(std::size_t at) {
    const std::size_t end = std::min(m_body.find('"', at + k_image_url.size()), m_body.size());
    const std::string_view url = m_body.substr(at, end - at);
    const std::size_t data = url.find(k_base64_url);
    if (data != std::string_view::npos && is_base64(url.substr(data + k_base64_url.size()))) take(url);
    return std::min(end + 1, m_body.size());
  }

  std::size_t take_source(std::size_t at) {
    const std::size_t next = at + k_data.size();
    const std::string_view data = text_at(m_body, value_of(next));
    if (data.empty()) return next;
    const auto end = static_cast<std::size_t>(data.data() - m_body.data()) + data.size();
    if (!is_image_source(around(m_body, at, end)) || !is_base64(data)) return next;
    take(data);
    return end + 1;
  }

  // "images":["…"]
  std::size_t take_list(std::size_t at) {
    std::size_t next = value_of(at + k_image_list.size());
    if (next >= m_body.size() || m_body[next] != '[') return at + k_image_list.size();
    std::size_t taken = next;
    do {
      const std::string_view image = text_at(m_body, next + 1);
      if (image.size() < k_shortest_image || !is_base64(image)) break;
      take(image);
      taken = static_cast<std::size_t>(image.data() - m_body.data()) + image.size() + 1;
      next = skip_space(m_body, taken);
    } while (next < m_body.size() && m_body[next] == ',');
    return taken;
  }

  std::string_view m_body;
  std::int64_t m_in_body = 0;
  std::size_t m_data_bytes = 0;
  std::int64_t m_parts = 0;
  std::int64_t m_blocks = 0;
  std::int64_t m_files = 0;  // linked to in Gemini's form; those that are no images are no cheaper
};

}  // namespace

call::PromptSize measure_prompt(std::string_view body) {
  call::PromptSize size;
  size.other_bytes = count_other(body);
  const ImageScan scan(body);
  size.images = scan.images();
  size.ascii_bytes = body.size() - size.other_bytes - scan.data_bytes();
  return size;
}

}  // namespace nemo::protocol
