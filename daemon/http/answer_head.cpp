#include "daemon/http/answer_head.h"

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
    case 413:
      return "Payload Too Large";
    case 422:
      return "Unprocessable Entity";
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
      return "Status";  // clients read the number
  }
}

void add(std::string& head, std::string_view name, std::string_view value) {
  constexpr std::string_view k_breaks("\r\n\0", 3);
  if (name.find_first_of(k_breaks) != std::string_view::npos) return;
  if (value.find_first_of(k_breaks) != std::string_view::npos) return;
  head.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string answer_head(const gateway::Answer& answer, std::string_view allowed_origin, bool closes) {
  constexpr std::size_t k_usual = 1024;
  std::string head;
  head.reserve(k_usual);
  head.append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
  head.append(reason_phrase(answer.status)).append("\r\n");
  add(head, "Content-Type", answer.content_type);
  add(head, "Content-Length", std::to_string(answer.body.size()));
  if (closes) add(head, "Connection", "close");
  if (!allowed_origin.empty()) {
    add(head, "Access-Control-Allow-Origin", allowed_origin);
    add(head, "Access-Control-Expose-Headers", "*");
    add(head, "Vary", "Origin");
  }
  for (const auto& [name, value] : answer.headers) add(head, name, value);
  return head.append("\r\n");
}

}  // namespace nemo::http
