// Walks over one value with a JsonCursor: what is not of the expected kind is passed over.
#pragma once

#include "daemon/protocol/json_cursor.h"

namespace nemo::protocol {

// Stands before a value and passes it. `use(key)` is called for each field of an object and passes the field's value.
template <typename Use>
void each_field(JsonCursor& cursor, Use&& use) {
  if (cursor.peek() != '{') {
    cursor.skip();
    return;
  }
  cursor.begin_object();
  while (const auto key = cursor.next_field()) use(*key);
}

// The same for the items of a list; `use()` passes one. False: the value is no list.
template <typename Use>
bool each_element(JsonCursor& cursor, Use&& use) {
  if (cursor.peek() != '[') {
    cursor.skip();
    return false;
  }
  cursor.begin_array();
  while (cursor.next_element()) use();
  return true;
}

}  // namespace nemo::protocol
