#include "daemon/admin/replies.h"

#include <algorithm>

#include "shared/admin/error.h"

namespace nemo::admin {
namespace {

constexpr std::size_t k_longest_name = 128;  // of a seat or a team: fits a table and an index

// Names may hold bytes that are not UTF-8 (they came from callers); those must not keep the others from being shown.
std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

AdminReply reply(const Json& json, int status) {
  return {status, to_text(json)};
}

AdminReply reply_to(const Status& status) {
  return status.ok() ? AdminReply{200, "{}"} : reply_with(status.error());
}

AdminReply reply_with(const Error& error) {
  return reply(error_to_json(error), error.status());
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Status check_name(const std::string& name, const char* field) {
  if (name.size() > k_longest_name || has_control_character(name)) {
    return fail(ErrorKind::invalid_request,
                std::string(field) + " takes at most " + std::to_string(k_longest_name) + " bytes of printable text",
                field);
  }
  return Done{};
}

}  // namespace nemo::admin
