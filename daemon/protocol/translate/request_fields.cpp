#include "daemon/protocol/translate/request_fields.h"

#include <string>

#include "daemon/protocol/json_cursor.h"

namespace nemo::protocol {

Error refuse_field(std::string_view field, std::string_view why) {
  return fail(ErrorKind::invalid_request, std::string(field) + ": " + std::string(why), std::string(field));
}

std::string_view given_value(const RequestBody& body, std::string_view key) {
  const Field* field = body.find(key);
  return field == nullptr || field->value == "null" ? std::string_view() : field->value;
}

Result<std::string_view> single_prompt(const RequestBody& body) {
  const Field* prompt = body.find("prompt");
  if (prompt == nullptr) return refuse_field("prompt", "is missing");
  if (prompt->value.front() == '"') return prompt->value;
  if (prompt->items == Items::numbers || prompt->items == Items::lists) {
    return refuse_field("prompt", "tokens cannot be given to this model's upstream; send text");
  }
  if (prompt->items != Items::texts) return refuse_field("prompt", "must be text");
  if (prompt->item_count != 1) {
    return refuse_field("prompt", "this model's upstream takes one prompt a call; send one call each");
  }
  JsonCursor cursor(prompt->value);
  cursor.begin_array();
  cursor.next_element();
  return cursor.take();
}

}  // namespace nemo::protocol
