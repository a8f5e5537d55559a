#include "shared/admin/error.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {
namespace {

constexpr ErrorKind k_last_kind = ErrorKind::internal;

ErrorKind kind_of(std::string_view code) {
  for (int at = 0; at <= static_cast<int>(k_last_kind); ++at) {
    const auto kind = static_cast<ErrorKind>(at);
    // Two kinds share this code; a path that does not exist is a fault of the program, not of what was asked.
    if (kind != ErrorKind::path_not_found && code_of(kind) == code) return kind;
  }
  return ErrorKind::internal;
}

}  // namespace

Json error_to_json(const Error& error) {
  return Json{{"error", {{"code", error.code()}, {"message", error.message}}}};
}

Error error_from_json(const Json& json) {
  std::string code;
  std::string message;
  FieldReader outer(json);
  Json inner = Json::object();
  outer("error", inner);
  FieldReader reader(inner);
  reader("code", code);
  reader("message", message);
  return Error{kind_of(code), message.empty() ? "the daemon said no without a reason" : message};
}

}  // namespace nemo::admin
