// How routes read what they are asked and write what they answer.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "daemon/admin/routes.h"
#include "shared/admin/json.h"
#include "shared/result.h"

namespace nemo::admin {

AdminReply reply(const Json& json, int status = 200);
AdminReply reply_to(const Status& status);

template <typename T>
Result<T> read_body(const std::string& body) {
  try {
    return Json::parse(body).get<T>();
  } catch (const Json::exception&) {
    // The parser's own message quotes the input, which may hold a key.
    return fail(ErrorKind::invalid_request, "the request's body is not the JSON that this path takes");
  }
}

bool has_control_character(std::string_view text);
// Of a seat, a team, a model: bounded and printable. invalid_request names the field.
Status check_name(const std::string& name, const char* field);

}  // namespace nemo::admin
