// Errors in the OpenAI shape. Source: OpenAI API reference, error codes.
#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/openai.h"

namespace nemo::protocol {
namespace {

std::string_view type_of(ErrorKind kind, int status) {
  if (kind == ErrorKind::budget_exceeded) return "budget_exceeded";
  switch (status) {
    case 400:
    case 404:
    case 405:
    case 409:
    case 413:
    case 422:
      return "invalid_request_error";
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    default:
      return "api_error";
  }
}

std::string text_or_null(std::string_view text) {
  return text.empty() ? "null" : quote_json(text);
}

std::string render(std::string_view message, std::string_view type, std::string_view param, std::string_view code) {
  std::string out = "{\"error\":{\"message\":";
  out.append(quote_json(message)).append(",\"type\":").append(quote_json(type));
  out.append(",\"param\":").append(text_or_null(param)).append(",\"code\":").append(text_or_null(code));
  return out.append("}}");
}

}  // namespace

std::string error_body(const Error& error) {
  if (error.kind == ErrorKind::upstream_rejected && !error.upstream_body.empty()) {
    UpstreamComplaint complaint = read_complaint(error.upstream_body);
    if (complaint.type.empty()) complaint.type = type_of(error.kind, error.status());
    return complaint_body(complaint);
  }
  return render(error.message, type_of(error.kind, error.status()), error.param, error.code());
}

std::string error_event(const Error& error) {
  return "data: " + error_body(error) + "\n\n";
}

std::string complaint_body(const UpstreamComplaint& complaint) {
  const std::string_view type = complaint.type.empty() ? std::string_view("api_error") : complaint.type;
  return render(complaint.message, type, complaint.param, complaint.code);
}

}  // namespace nemo::protocol
