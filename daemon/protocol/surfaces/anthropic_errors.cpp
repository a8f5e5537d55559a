#include "daemon/protocol/surfaces/anthropic_errors.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/openai.h"

namespace nemo::protocol {
namespace {

std::string_view type_by_status(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 408:
    case 504:
      return "timeout_error";
    case 429:
      return "rate_limit_error";
    case 503:
    case 529:
      return "overloaded_error";
    default:
      return status >= 400 && status < 500 ? "invalid_request_error" : "api_error";
  }
}

bool is_anthropics(std::string_view type) {
  constexpr std::array<std::string_view, 10> k_types{
      "invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
      "request_too_large",     "rate_limit_error",     "timeout_error", "api_error",        "overloaded_error"};
  return std::find(k_types.begin(), k_types.end(), type) != k_types.end();
}

std::string render(std::string_view type, std::string_view message) {
  std::string out = R"({"type":"error","error":{"type":)";
  out.append(quote_json(type)).append(",\"message\":").append(quote_json(message));
  return out.append("}}");
}

}  // namespace

std::string messages_error_body(const Error& error) {
  const std::string_view by_status = type_by_status(error.status());
  if (error.kind != ErrorKind::upstream_rejected || error.upstream_body.empty()) {
    return render(by_status, error.message);
  }
  const UpstreamComplaint complaint = read_complaint(error.upstream_body);
  return render(is_anthropics(complaint.type) ? std::string_view(complaint.type) : by_status, complaint.message);
}

std::string messages_error_event(const Error& error) {
  return "event: error\ndata: " + messages_error_body(error) + "\n\n";
}

}  // namespace nemo::protocol
