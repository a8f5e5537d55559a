#include "daemon/upstream/local/answer_reader.h"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace nemo::upstream::local {
namespace {

constexpr std::size_t k_longest_head = std::size_t{256} << 10U;  // servers' own limits are at 8 to 64 KiB
constexpr std::size_t k_longest_line = 4096;                     // a chunk's size with its extensions, a trailer
constexpr int k_final_status = 200;

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view value) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  return value;
}

// Whether a list such as "gzip, chunked" has that word.
bool lists(std::string_view value, std::string_view word) {
  while (!value.empty()) {
    const auto comma = std::min(value.find(','), value.size());
    if (same_word(trimmed(value.substr(0, comma)), word)) return true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return false;
}

// The position behind the blank line that ends a head; npos: it has not come.
std::size_t end_of_head(std::string_view text) {
  for (auto feed = text.find('\n'); feed != std::string_view::npos; feed = text.find('\n', feed + 1)) {
    const std::string_view next = text.substr(feed + 1, 2);
    if (next.starts_with('\n')) return feed + 2;
    if (next == "\r\n") return feed + 3;
  }
  return std::string_view::npos;
}

bool has_no_body(int status) {
  constexpr int k_no_content = 204;
  constexpr int k_not_modified = 304;
  return status == k_no_content || status == k_not_modified;
}

}  // namespace

Flaw AnswerReader::read(std::string_view bytes, std::string& body) {
  if (!bytes.empty()) m_has_begun = true;
  while (!bytes.empty()) {
    Flaw flaw = Flaw::none;
    switch (m_stage) {
      case Stage::head:
        flaw = read_head(bytes);
        break;
      case Stage::until_close:
        return pass(std::exchange(bytes, {}), body);
      case Stage::sized: {
        const std::string_view mine = bytes.substr(0, std::min<std::uint64_t>(m_left, bytes.size()));
        bytes.remove_prefix(mine.size());
        m_left -= mine.size();
        if (m_left == 0) m_stage = Stage::whole;
        flaw = pass(mine, body);
        break;
      }
      case Stage::whole:
        m_has_surplus = true;
        return Flaw::none;
      default:
        flaw = read_chunked(bytes, body);
        break;
    }
    if (flaw != Flaw::none) return flaw;
  }
  return Flaw::none;
}

Flaw AnswerReader::close() {
  m_keeps = false;
  if (m_stage == Stage::until_close) {
    m_stage = Stage::whole;
    return m_inflater && !m_unpacked ? Flaw::unreadable_coding : Flaw::none;
  }
  return m_stage == Stage::whole ? Flaw::none : Flaw::cut_short;
}

Flaw AnswerReader::read_head(std::string_view& bytes) {
  if (m_text.empty()) {  // nearly always all of it comes at once
    const auto end = end_of_head(bytes);
    if (end != std::string_view::npos) {
      const std::string_view text = bytes.substr(0, end);
      bytes.remove_prefix(end);
      return parse_head(text);
    }
  }
  const std::size_t before = m_text.size();
  m_text.append(bytes);
  const auto end = end_of_head(m_text);
  if (end == std::string::npos) {
    bytes = {};
    constexpr std::string_view k_protocol = "HTTP/";
    const std::string_view beginning = std::string_view(m_text).substr(0, k_protocol.size());
    if (beginning != k_protocol.substr(0, beginning.size())) return Flaw::no_http;
    return m_text.size() > k_longest_head ? Flaw::head_too_long : Flaw::none;
  }
  bytes.remove_prefix(end - before);
  m_text.resize(end);
  return parse_head(std::exchange(m_text, {}));
}

Flaw AnswerReader::parse_head(std::string_view text) {
  m_head = {};
  bool is_first = true;
  while (!text.empty()) {
    const auto feed = text.find('\n');
    std::string_view line = text.substr(0, feed);
    text.remove_prefix(feed + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (is_first) {
      const Flaw flaw = take_status_line(line);
      if (flaw != Flaw::none) return flaw;
      is_first = false;
    } else if (!line.empty()) {
      take_header(line);
    }
  }
  if (m_head.status < k_final_status) return Flaw::none;  // "100 Continue" and the like: the head is still to come
  return begin_body();
}

// "HTTP/1.1 200 OK"
Flaw AnswerReader::take_status_line(std::string_view line) {
  constexpr std::string_view k_protocol = "HTTP/1.";
  if (!line.starts_with(k_protocol)) return Flaw::no_http;
  m_keeps = line.substr(k_protocol.size()).starts_with('1');
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return Flaw::no_http;
  const std::string_view status = line.substr(space + 1, 3);
  const auto [end, error] = std::from_chars(status.data(), status.data() + status.size(), m_head.status);
  const bool is_status = error == std::errc() && end == status.data() + 3 && m_head.status >= 100;
  return is_status ? Flaw::none : Flaw::no_http;
}

void AnswerReader::take_header(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  Header& header = m_head.headers.emplace_back();
  header.name.resize(colon);
  std::transform(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon), header.name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  header.value.assign(trimmed(line.substr(colon + 1)));
}

// How long the body is and how it is packed, as its headers say.
Flaw AnswerReader::begin_body() {
  bool is_chunked = false;
  std::string_view size;
  for (const Header& header : m_head.headers) {
    if (header.name == "transfer-encoding") {
      is_chunked = is_chunked || lists(header.value, "chunked");
    } else if (header.name == "content-length") {
      size = header.value;
    } else if (header.name == "connection") {
      if (lists(header.value, "close")) m_keeps = false;
      if (lists(header.value, "keep-alive")) m_keeps = true;
    } else if (header.name == "content-encoding" && !header.value.empty() && !same_word(header.value, "identity")) {
      const bool is_known =
          same_word(header.value, "gzip") || same_word(header.value, "x-gzip") || same_word(header.value, "deflate");
      if (!is_known) return Flaw::unreadable_coding;
      m_inflater = std::make_unique<lib::zlib::Inflater>();
    }
  }
  if (has_no_body(m_head.status)) {
    m_stage = Stage::whole;
    m_inflater.reset();
  } else if (is_chunked) {
    m_stage = Stage::chunk_size;
  } else if (size.empty()) {
    m_stage = Stage::until_close;
    m_keeps = false;
  } else {
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), m_left);
    if (error != std::errc() || end != size.data() + size.size()) return Flaw::no_http;
    m_stage = m_left == 0 ? Stage::whole : Stage::sized;
  }
  return Flaw::none;
}

Flaw AnswerReader::read_chunked(std::string_view& bytes, std::string& body) {
  if (m_stage == Stage::chunk) {
    const std::string_view mine = bytes.substr(0, std::min<std::uint64_t>(m_left, bytes.size()));
    bytes.remove_prefix(mine.size());
    m_left -= mine.size();
    if (m_left == 0) m_stage = Stage::chunk_end;
    return pass(mine, body);
  }
  const bool is_line = take_line(bytes);
  if (m_text.size() > k_longest_line) return Flaw::bad_chunk;
  if (!is_line) return Flaw::none;
  switch (m_stage) {
    case Stage::chunk_size: {
      const Flaw flaw = take_chunk_size();
      if (flaw != Flaw::none) return flaw;
      m_stage = m_left == 0 ? Stage::trailers : Stage::chunk;
      break;
    }
    case Stage::chunk_end:
      if (!m_text.empty()) return Flaw::bad_chunk;
      m_stage = Stage::chunk_size;
      break;
    default:  // a trailer, or the blank line behind them
      if (!m_text.empty()) break;
      m_stage = Stage::whole;
      if (m_inflater && !m_unpacked) return Flaw::unreadable_coding;
      break;
  }
  m_text.clear();
  return Flaw::none;
}

Flaw AnswerReader::take_chunk_size() {
  const std::string_view digits = trimmed(std::string_view(m_text).substr(0, m_text.find(';')));
  constexpr int k_hexadecimal = 16;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), m_left, k_hexadecimal);
  return error == std::errc() && end == digits.data() + digits.size() ? Flaw::none : Flaw::bad_chunk;
}

// True: `m_text` is a whole line, without its end.
bool AnswerReader::take_line(std::string_view& bytes) {
  const auto feed = bytes.find('\n');
  m_text.append(bytes.substr(0, feed));
  bytes.remove_prefix(feed == std::string_view::npos ? bytes.size() : feed + 1);
  if (feed == std::string_view::npos) return false;
  if (m_text.ends_with('\r')) m_text.pop_back();
  return true;
}

Flaw AnswerReader::pass(std::string_view bytes, std::string& body) {
  if (!m_inflater) {
    body.append(bytes);
    return Flaw::none;
  }
  if (!m_unpacked) {
    const auto step = m_inflater->inflate(bytes, body);
    if (step == lib::zlib::Inflater::Step::unreadable) return Flaw::unreadable_coding;
    m_unpacked = step == lib::zlib::Inflater::Step::done;
  }
  const bool is_cut = m_stage == Stage::whole && !m_unpacked;
  return is_cut ? Flaw::unreadable_coding : Flaw::none;
}

}  // namespace nemo::upstream::local
