#include "daemon/protocol/surfaces/responses_object.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <initializer_list>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/translate/message_to_chat.h"
#include "daemon/protocol/translate/request_fields.h"
#include "shared/ids.h"

namespace nemo::protocol {
namespace {

constexpr std::size_t k_id_bytes = 12;

// A field of the request as it is told back, with what stands for it when it was not given; empty: it is left out.
struct Echo {
  std::string_view name;
  std::string_view otherwise;
};

constexpr std::array<Echo, 15> k_echoes{{{"instructions", "null"},
                                         {"max_output_tokens", "null"},
                                         {"max_tool_calls", "null"},
                                         {"metadata", "{}"},
                                         {"parallel_tool_calls", "true"},
                                         {"prompt_cache_key", ""},
                                         {"reasoning", R"({"effort":null,"summary":null})"},
                                         {"safety_identifier", ""},
                                         {"service_tier", ""},
                                         {"temperature", "null"},
                                         {"text", R"({"format":{"type":"text"}})"},
                                         {"tool_choice", "\"auto\""},
                                         {"tools", "[]"},
                                         {"top_p", "null"},
                                         {"user", "null"}}};

// On one line, for it goes into events.
std::string echo_of(const RequestBody& body) {
  std::string out;
  for (const Echo& echo : k_echoes) {
    const std::string_view given = given_value(body, echo.name);
    if (given.empty() && echo.otherwise.empty()) continue;
    out.append(",\"").append(echo.name).append("\":");
    out.append(given.empty() ? std::string(echo.otherwise) : compact_json(given));
  }
  return out.append(R"(,"background":false,"previous_response_id":null,"store":false,"truncation":"disabled")");
}

void append_usage(const call::Usage& usage, std::string& out) {
  out.append("{\"input_tokens\":").append(std::to_string(usage.input_tokens));
  out.append(",\"input_tokens_details\":{\"cached_tokens\":").append(std::to_string(usage.cached_tokens));
  out.append("},\"output_tokens\":").append(std::to_string(usage.output_tokens));
  out.append(",\"output_tokens_details\":{\"reasoning_tokens\":").append(std::to_string(usage.reasoning_tokens));
  out.append("},\"total_tokens\":").append(std::to_string(usage.input_tokens + usage.output_tokens)).append("}");
}

bool says_any(std::string_view text, std::initializer_list<std::string_view> words) {
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == b; };
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
  });
}

}  // namespace

ResponseShell::ResponseShell(const Telling& telling)
    : m_id(to_hex(random_bytes(k_id_bytes))), m_echoed(echo_of(telling.body)) {
  const auto at = std::chrono::duration_cast<std::chrono::seconds>(telling.at.time_since_epoch()).count();
  m_head = "{\"id\":\"resp_" + m_id + "\",\"object\":\"response\",\"created_at\":" + std::to_string(at);
  m_head.append(",\"model\":").append(quote_json(telling.model)).append(",\"status\":\"");
}

void ResponseShell::append(const ResponseState& state, std::string& out) const {
  out.append(m_head).append(state.status).append("\",\"error\":").append(state.error.empty() ? "null" : state.error);
  out.append(",\"incomplete_details\":");
  if (state.incomplete_reason.empty()) {
    out.append("null");
  } else {
    out.append("{\"reason\":\"").append(state.incomplete_reason).append("\"}");
  }
  out.append(m_echoed).append(",\"output\":[").append(state.output).append("],\"usage\":");
  if (state.usage) {
    append_usage(*state.usage, out);
  } else {
    out.append("null");
  }
  out.append("}");
}

std::string ResponseShell::item_id(std::string_view prefix, std::size_t place) const {
  return std::string(prefix) + m_id + "_" + std::to_string(place);
}

std::string response_error(std::string_view code, std::string_view message) {
  return "{\"code\":" + quote_json(code) + ",\"message\":" + quote_json(message) + "}";
}

std::string_view response_error_code(const Error& error, std::string_view upstream_code) {
  constexpr std::array<std::string_view, 3> k_known{"rate_limit_exceeded", "insufficient_quota",
                                                    "context_length_exceeded"};
  const auto known = std::find(k_known.begin(), k_known.end(), upstream_code);
  if (known != k_known.end()) return *known;
  if (error.kind == ErrorKind::budget_exceeded) return "insufficient_quota";
  if (error.kind == ErrorKind::rate_limit_exceeded || error.kind == ErrorKind::tpm_limit_exceeded ||
      error.kind == ErrorKind::too_many_parallel) {
    return "rate_limit_exceeded";
  }
  if (says_any(error.message, {"context length", "context_length", "context window", "maximum context",
                               "prompt is too long", "input token count", "exceeds the maximum number of tokens"})) {
    return "context_length_exceeded";
  }
  if (says_any(error.message,
               {"rate limit", "rate_limit", "too many requests", "resource exhausted", "resource_exhausted"})) {
    return "rate_limit_exceeded";
  }
  return "server_error";
}

std::string response_error_message(const Error& error) {
  if (!error.retry_after_s) return error.message;
  return error.message + " Please try again in " + std::to_string(*error.retry_after_s) + "s.";
}

}  // namespace nemo::protocol
