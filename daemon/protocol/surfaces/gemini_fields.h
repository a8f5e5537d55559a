// How Google's APIs spell JSON: a field's name in camelCase or as snake_case, and one object where a list of objects is
// meant. Source: Protocol Buffers, ProtoJSON format; Vertex AI's own examples ("contents": {"parts": {…}}).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/request_body.h"
#include "shared/result.h"

namespace nemo::protocol {

// Whether `key`, as it stands between its quotes, spells `name`, which is given in camelCase.
bool is_field(std::string_view key, std::string_view name);

// A field of the body by either spelling; null: not there, or its value is null.
const Field* find_spelled(const RequestBody& body, std::string_view name);
std::string_view spelled_value(const RequestBody& body, std::string_view name);  // raw JSON; empty: not there, or null
// invalid_request: the field is there in both spellings.
Status refuse_twice(const RequestBody& body, std::string_view name);

struct Wanted {
  std::string_view name;
  std::string_view* raw;  // left alone when the field is not there, or null
};
// Of an object that has been checked to be JSON. False: it is no object.
bool read_fields(std::string_view object, std::initializer_list<Wanted> wanted);

// use(raw, index) -> Status for each item of a list, or once for an object that stands for a list of one.
template <typename Use>
Status each_item(std::string_view raw, Use&& use) {
  if (raw.empty()) return Done{};
  if (raw.front() != '[') return use(raw, std::size_t{0});
  JsonCursor cursor(raw);
  cursor.begin_array();
  for (std::size_t i = 0; cursor.next_element(); ++i) {
    if (Status used = use(cursor.take(), i); !used) return used;
  }
  return Done{};
}

// "contents[2]"; a single object needs no number, and gets 0 all the same.
std::string item_path(std::string_view list, std::size_t index);

}  // namespace nemo::protocol
