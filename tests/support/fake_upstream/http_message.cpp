#include "tests/support/fake_upstream/http_message.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace nemo::fake_upstream {
namespace {

constexpr std::size_t k_max_head_bytes = std::size_t{256} * 1024;
constexpr std::size_t k_max_body_bytes = std::size_t{128} << 20U;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool parse_size(std::string_view text, int base, std::size_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string_view Request::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

bool RequestParser::take_wants_continue() {
  return std::exchange(m_wants_continue, false);
}

bool RequestParser::parse_header_line(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string name = lower(line.substr(0, colon));
  std::string value(trimmed(line.substr(colon + 1)));
  if (name == "content-length" && !parse_size(value, 10, m_content_length)) return false;
  if (name == "transfer-encoding") m_chunked = lower(value).find("chunked") != std::string::npos;
  if (name == "expect") m_wants_continue = lower(value) == "100-continue";
  if (name == "connection") {
    const std::string tokens = lower(value);
    if (tokens.find("close") != std::string::npos) m_request.keep_alive = false;
    if (tokens.find("keep-alive") != std::string::npos) m_request.keep_alive = true;
  }
  m_request.headers.emplace_back(std::move(name), std::move(value));
  return true;
}

RequestParser::Outcome RequestParser::parse_head() {
  const auto head_end = m_buffer.find("\r\n\r\n");
  if (head_end == std::string::npos) {
    return m_buffer.size() > k_max_head_bytes ? Outcome::too_large : Outcome::incomplete;
  }
  m_request = {};
  m_content_length = 0;
  m_chunked = false;
  std::string_view head(m_buffer.data(), head_end);
  auto line_end = std::min(head.find("\r\n"), head.size());
  const std::string_view request_line = head.substr(0, line_end);
  const auto first_space = request_line.find(' ');
  const auto last_space = request_line.rfind(' ');
  if (first_space == std::string_view::npos || first_space == last_space) return Outcome::bad;
  const std::string_view version = request_line.substr(last_space + 1);
  if (version.substr(0, 7) != "HTTP/1.") return Outcome::bad;
  m_request.keep_alive = version != "HTTP/1.0";
  m_request.method = request_line.substr(0, first_space);
  const std::string_view target = request_line.substr(first_space + 1, last_space - first_space - 1);
  const auto question = std::min(target.find('?'), target.size());
  m_request.path = target.substr(0, question);
  if (question < target.size()) m_request.query = target.substr(question + 1);
  while (line_end < head.size()) {
    const auto start = line_end + 2;
    line_end = std::min(head.find("\r\n", start), head.size());
    if (!parse_header_line(head.substr(start, line_end - start))) return Outcome::bad;
  }
  if (m_content_length > k_max_body_bytes) return Outcome::too_large;
  m_body_start = head_end + 4;
  m_chunk_position = m_body_start;
  m_head_done = true;
  return Outcome::complete;
}

RequestParser::Outcome RequestParser::parse_chunked_body() {
  while (true) {
    const auto line_end = m_buffer.find("\r\n", m_chunk_position);
    if (line_end == std::string::npos) return Outcome::incomplete;
    std::string_view line(m_buffer.data() + m_chunk_position, line_end - m_chunk_position);
    line = trimmed(line.substr(0, line.find(';')));
    std::size_t size = 0;
    if (!parse_size(line, 16, size)) return Outcome::bad;
    if (size > k_max_body_bytes || m_request.body.size() + size > k_max_body_bytes) return Outcome::too_large;
    if (size == 0) {
      // Trailers end with an empty line, as the chunks do when there are none.
      const auto end =
          m_buffer.compare(line_end + 2, 2, "\r\n") == 0 ? line_end + 2 : m_buffer.find("\r\n\r\n", line_end);
      if (end == std::string::npos || m_buffer.size() < end + 2) return Outcome::incomplete;
      m_buffer.erase(0, end + (m_buffer.compare(end, 4, "\r\n\r\n") == 0 ? 4 : 2));
      return Outcome::complete;
    }
    if (m_buffer.size() < line_end + 2 + size + 2) return Outcome::incomplete;
    m_request.body.append(m_buffer, line_end + 2, size);
    m_chunk_position = line_end + 2 + size + 2;
  }
}

RequestParser::Outcome RequestParser::parse(Request& request) {
  if (!m_head_done) {
    // An empty line before a request line is to be ignored (RFC 9112, section 2.2).
    while (m_buffer.compare(0, 2, "\r\n") == 0) m_buffer.erase(0, 2);
    const Outcome outcome = parse_head();
    if (outcome != Outcome::complete) return outcome;
  }
  if (m_chunked) {
    const Outcome outcome = parse_chunked_body();
    if (outcome != Outcome::complete) return outcome;
  } else {
    if (m_buffer.size() < m_body_start + m_content_length) return Outcome::incomplete;
    m_request.body = m_buffer.substr(m_body_start, m_content_length);
    m_buffer.erase(0, m_body_start + m_content_length);
  }
  m_head_done = false;
  m_wants_continue = false;
  request = std::move(m_request);
  return Outcome::complete;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status";
  }
}

std::string_view query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) return pair.substr(equals + 1);
  }
  return {};
}

}  // namespace nemo::fake_upstream
