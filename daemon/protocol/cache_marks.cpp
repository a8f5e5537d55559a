#include "daemon/protocol/cache_marks.h"

#include <string_view>

#include "daemon/protocol/json_cursor.h"

namespace nemo::protocol {
namespace {

bool is_mark(std::string_view key, std::string_view value) {
  if (key != "cache_control" || !value.starts_with('{')) return false;
  const auto type = find_member(value, "type");
  return type && *type == "\"ephemeral\"";
}

void copy_value(JsonCursor& cursor, std::string& out);

void copy_object(JsonCursor& cursor, std::string& out) {
  cursor.begin_object();
  out.push_back('{');
  bool is_first = true;
  while (const auto key = cursor.next_field()) {
    std::string value;
    if (*key == "cache_control") {
      const std::string_view raw = cursor.take();
      if (is_mark(*key, raw)) continue;
      value = raw;
    } else {
      copy_value(cursor, value);
    }
    out.append(is_first ? "\"" : ",\"").append(*key).append("\":").append(value);
    is_first = false;
  }
  out.push_back('}');
}

void copy_array(JsonCursor& cursor, std::string& out) {
  cursor.begin_array();
  out.push_back('[');
  for (bool is_first = true; cursor.next_element(); is_first = false) {
    if (!is_first) out.push_back(',');
    copy_value(cursor, out);
  }
  out.push_back(']');
}

void copy_value(JsonCursor& cursor, std::string& out) {
  switch (cursor.peek()) {
    case '{':
      copy_object(cursor, out);
      break;
    case '[':
      copy_array(cursor, out);
      break;
    default:
      out.append(cursor.take());
  }
}

}  // namespace

void strip_cache_marks(std::string& json) {
  if (json.find("\"cache_control\"") == std::string::npos) return;
  JsonCursor cursor(json);
  std::string out;
  out.reserve(json.size());
  copy_value(cursor, out);
  if (cursor.at_end()) json = std::move(out);
}

}  // namespace nemo::protocol
