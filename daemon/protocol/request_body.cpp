#include "daemon/protocol/request_body.h"

#include <simdjson.h>

#include <string>
#include <utility>

#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "shared/json_escape.h"

namespace nemo::protocol {
namespace {

Error refuse(std::size_t offset, std::string_view what) {
  return fail(ErrorKind::invalid_request,
              "the body cannot be read as JSON: " + std::string(what) + " at byte " + std::to_string(offset));
}

Error refuse_encoding(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) break;
    at += length;
  }
  return refuse(at, "bytes that are not UTF-8");
}

Items items_that_begin_with(char c) {
  switch (c) {
    case '"':
      return Items::texts;
    case '{':
      return Items::objects;
    case '[':
      return Items::lists;
    case 't':
    case 'f':
    case 'n':
      return Items::mixed;
    default:
      return Items::numbers;
  }
}

void read_list(JsonCursor& cursor, Field& field) {
  if (!cursor.begin_array()) return;
  while (cursor.next_element()) {
    const Items item = items_that_begin_with(cursor.peek());
    field.items = field.item_count == 0 || field.items == item ? item : Items::mixed;
    ++field.item_count;
    if (!cursor.skip()) return;
  }
}

bool has_name(const Field& field, std::string_view name) {
  if (field.key.find('\\') == std::string_view::npos) return field.key == name;
  return unescape(field.key) == name;
}

}  // namespace

Result<RequestBody> RequestBody::parse(std::string bytes) {
  RequestBody body;
  body.m_bytes = std::make_unique<const std::string>(std::move(bytes));
  if (const Status read = body.read_fields(); !read) return read.error();
  return body;
}

Status RequestBody::read_fields() {
  const std::string_view text = bytes();
  if (!simdjson::validate_utf8(text.data(), text.size())) return refuse_encoding(text);
  JsonCursor cursor(text);
  const char first = cursor.peek();
  if (cursor.at_end()) return fail(ErrorKind::invalid_request, "the body is empty; expected a JSON object");
  if (first != '{') {
    if (!cursor.skip()) return refuse(cursor.fault().offset, cursor.fault().what);
    return fail(ErrorKind::invalid_request, "the body must be a JSON object");
  }
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    Field field;
    field.key = *key;
    field.begin = static_cast<std::size_t>(key->data() - text.data()) - 1;
    if (key->size() > k_longest_key) return refuse(field.begin, "the name of a field is too long");
    const std::string name = unescape(*key);
    if (find(name) != nullptr) {
      const std::string shown(cut_text(name, 100));
      return fail(ErrorKind::invalid_request,
                  "the field \"" + shown + "\" is given twice, again at byte " + std::to_string(field.begin), shown);
    }
    if (m_fields.size() == k_most_fields) return refuse(field.begin, "too many fields");
    const char kind = cursor.peek();
    const std::size_t begin = cursor.offset();
    if (kind == '[') {
      read_list(cursor, field);
    } else {
      cursor.skip();
    }
    if (cursor.failed()) break;
    field.end = cursor.offset();
    field.value = text.substr(begin, field.end - begin);
    m_fields.push_back(field);
  }
  if (cursor.failed()) return refuse(cursor.fault().offset, cursor.fault().what);
  if (!cursor.at_end()) return refuse(cursor.offset(), "text behind the end of the object");
  return Done{};
}

const Field* RequestBody::find(std::string_view key) const {
  for (const Field& field : m_fields) {
    if (has_name(field, key)) return &field;
  }
  return nullptr;
}

}  // namespace nemo::protocol
