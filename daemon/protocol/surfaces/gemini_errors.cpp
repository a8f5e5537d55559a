#include "daemon/protocol/surfaces/gemini_errors.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/openai.h"

namespace nemo::protocol {
namespace {

struct Name {
  int status;
  std::string_view name;
};
// What cannot be paid for cannot be mended by trying again, so it is no RESOURCE_EXHAUSTED.
constexpr std::array<Name, 14> k_names{{{400, "INVALID_ARGUMENT"},
                                        {401, "UNAUTHENTICATED"},
                                        {402, "FAILED_PRECONDITION"},
                                        {403, "PERMISSION_DENIED"},
                                        {404, "NOT_FOUND"},
                                        {405, "UNIMPLEMENTED"},
                                        {408, "DEADLINE_EXCEEDED"},
                                        {409, "ABORTED"},
                                        {429, "RESOURCE_EXHAUSTED"},
                                        {499, "CANCELLED"},
                                        {501, "UNIMPLEMENTED"},
                                        {502, "UNAVAILABLE"},
                                        {503, "UNAVAILABLE"},
                                        {504, "DEADLINE_EXCEEDED"}}};

std::string_view name_of(int status) {
  const auto* const found =
      std::find_if(k_names.begin(), k_names.end(), [&](const Name& n) { return n.status == status; });
  if (found != k_names.end()) return found->name;
  return status >= 400 && status < 500 ? "INVALID_ARGUMENT" : "INTERNAL";
}

// An upstream of Google's has said the name itself.
bool is_googles_name(std::string_view name) {
  const auto is_part = [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_part);
}

std::string in_capitals(std::string_view code) {
  std::string name(code);
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

// The code by which scripts know an error, the field at fault, and when to come back, as Google's clients read them.
std::string details_of(const Error& error) {
  std::string details;
  const auto add = [&](std::string_view type, const std::string& fields) {
    details.append(details.empty() ? "" : ",").append(R"({"@type":"type.googleapis.com/google.rpc.)").append(type);
    details.append("\",").append(fields).append("}");
  };
  if (error.kind != ErrorKind::upstream_rejected) {
    add("ErrorInfo", "\"reason\":" + quote_json(in_capitals(error.code())) + R"(,"domain":"nemo")");
  }
  if (!error.param.empty()) {
    add("BadRequest", R"("fieldViolations":[{"field":)" + quote_json(error.param) +
                          ",\"description\":" + quote_json(error.message) + "}]");
  }
  if (error.retry_after_s) add("RetryInfo", "\"retryDelay\":\"" + std::to_string(*error.retry_after_s) + "s\"");
  return details;
}

}  // namespace

std::string gemini_error_body(const Error& error) {
  const int status = error.status();
  std::string message = error.message;
  std::string name(name_of(status));
  if (error.kind == ErrorKind::upstream_rejected && !error.upstream_body.empty()) {
    UpstreamComplaint complaint = read_complaint(error.upstream_body);
    message = std::move(complaint.message);
    if (is_googles_name(complaint.type)) name = std::move(complaint.type);
  }
  std::string out = "{\"error\":{\"code\":" + std::to_string(status) + ",\"message\":" + quote_json(message);
  out.append(",\"status\":").append(quote_json(name));
  const std::string details = details_of(error);
  if (!details.empty()) out.append(",\"details\":[").append(details).append("]");
  return out.append("}}");
}

std::string gemini_error_event(const Error& error) {
  return "data: " + gemini_error_body(error) + "\n\n";
}

}  // namespace nemo::protocol
