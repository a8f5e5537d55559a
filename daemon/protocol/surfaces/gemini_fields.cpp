#include "daemon/protocol/surfaces/gemini_fields.h"

#include <algorithm>

#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {

bool is_field(std::string_view key, std::string_view name) {
  if (key == name) return true;
  std::size_t at = 0;
  const auto next_is = [&](char c) { return at < key.size() && key[at++] == c; };
  for (const char c : name) {
    const bool begins_word = c >= 'A' && c <= 'Z';
    if (begins_word && !next_is('_')) return false;
    if (!next_is(begins_word ? static_cast<char>(c - 'A' + 'a') : c)) return false;
  }
  return at == key.size();
}

const Field* find_spelled(const RequestBody& body, std::string_view name) {
  const auto& fields = body.fields();
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return is_field(f.key, name); });
  return found == fields.end() || found->value == "null" ? nullptr : &*found;
}

std::string_view spelled_value(const RequestBody& body, std::string_view name) {
  const Field* field = find_spelled(body, name);
  return field == nullptr ? std::string_view() : field->value;
}

Status refuse_twice(const RequestBody& body, std::string_view name) {
  const auto& fields = body.fields();
  const auto count = std::count_if(fields.begin(), fields.end(), [&](const Field& f) { return is_field(f.key, name); });
  if (count < 2) return Done{};
  return refuse_field(name, "is given twice, in two spellings; leave one out");
}

bool read_fields(std::string_view object, std::initializer_list<Wanted> wanted) {
  if (object.empty() || object.front() != '{') return false;
  JsonCursor cursor(object);
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    const std::string_view value = cursor.take();
    const auto* const found =
        std::find_if(wanted.begin(), wanted.end(), [&](const Wanted& one) { return is_field(*key, one.name); });
    if (found != wanted.end() && value != "null") *found->raw = value;
  }
  return true;
}

std::string item_path(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

}  // namespace nemo::protocol
