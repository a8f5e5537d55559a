#include "daemon/http/answer_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace nemo::http {
namespace {

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
    case 408:
      return "Request Timeout";
    case 413:
      return "Payload Too Large";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status";  // clients read the number
  }
}

bool has_break(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

// A header with a line break in it is left out: some come from upstream, some from the caller.
void add(std::string& head, std::string_view name, std::string_view value) {
  if (has_break(name) || has_break(value)) return;
  head.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string AnswerWriter::head_of(const gateway::Answer& answer) const {
  constexpr std::size_t k_usual = 1024;
  std::string head;
  head.reserve(k_usual);
  head.append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
  head.append(reason_phrase(answer.status)).append("\r\n");
  add(head, "Content-Type", answer.content_type);
  if (!answer.stream) {
    add(head, "Content-Length", std::to_string(answer.body.size()));
  } else {
    add(head, "Cache-Control", "no-cache");
    if (m_manners.framing == Framing::chunked) add(head, "Transfer-Encoding", "chunked");
  }
  if (m_manners.closes) add(head, "Connection", "close");
  if (!m_manners.allowed_origin.empty()) {
    add(head, "Access-Control-Allow-Origin", m_manners.allowed_origin);
    add(head, "Access-Control-Expose-Headers", "*");
    add(head, "Vary", "Origin");
  }
  for (const auto& [name, value] : answer.headers) add(head, name, value);
  return head.append("\r\n");
}

bool AnswerWriter::write_whole(const gateway::Answer& answer) {
  return m_socket.write(head_of(answer)) && (answer.body.empty() || m_socket.write(answer.body)) && m_socket.flush();
}

bool AnswerWriter::begin(const gateway::Answer& answer) {
  return m_socket.write(head_of(answer));
}

bool AnswerWriter::write_piece(const std::string& piece) {
  if (m_manners.framing == Framing::until_close) return m_socket.write(piece);
  std::array<char, 20> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
  std::string chunk;
  chunk.reserve(piece.size() + size.size());
  chunk.append(size.data()).append(piece).append("\r\n");
  return m_socket.write(chunk);
}

bool AnswerWriter::end() {
  if (m_manners.framing == Framing::chunked && !m_socket.write("0\r\n\r\n")) return false;
  return m_socket.flush();
}

}  // namespace nemo::http
