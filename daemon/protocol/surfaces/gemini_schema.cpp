#include "daemon/protocol/surfaces/gemini_schema.h"

#include <algorithm>
#include <array>

#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/surfaces/gemini_fields.h"

namespace nemo::protocol {
namespace {

void append_schema(std::string_view schema, std::string& out);

std::string in_small_letters(std::string_view raw) {
  std::string text(raw);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

void append_key(std::string_view key, std::string& out) {
  if (out.back() != '{') out.push_back(',');
  out.append("\"").append(key).append("\":");
}

// {"name": schema, …}
void append_map(std::string_view raw, std::string& out) {
  JsonCursor cursor(raw);
  if (cursor.peek() != '{') {
    out.append(raw);
    return;
  }
  out.push_back('{');
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    append_key(*key, out);
    append_schema(cursor.take(), out);
  }
  out.push_back('}');
}

void append_list(std::string_view raw, std::string_view last, std::string& out) {
  JsonCursor cursor(raw);
  if (cursor.peek() != '[') {
    out.append(raw);
    return;
  }
  out.push_back('[');
  cursor.begin_array();
  while (cursor.next_element()) {
    if (out.back() != '[') out.push_back(',');
    append_schema(cursor.take(), out);
  }
  if (!last.empty()) out.append(out.back() == '[' ? "" : ",").append(last);
  out.push_back(']');
}

// One of these in Gemini's words; all that they do not name goes over as it is.
constexpr std::array<std::string_view, 2> k_maps{"properties", "patternProperties"};
constexpr std::array<std::string_view, 4> k_lists{"anyOf", "oneOf", "allOf", "prefixItems"};
constexpr std::array<std::string_view, 3> k_schemas{"items", "additionalProperties", "not"};
constexpr std::array<std::string_view, 6> k_counts{"minItems",  "maxItems",      "minLength",
                                                   "maxLength", "minProperties", "maxProperties"};
constexpr std::array<std::string_view, 4> k_left_out{"nullable", "propertyOrdering", "example", "format"};

// The name that a key spells; empty: none of them.
template <std::size_t N>
std::string_view spelled(std::string_view key, const std::array<std::string_view, N>& names) {
  const auto* const found = std::find_if(names.begin(), names.end(), [&](auto name) { return is_field(key, name); });
  return found == names.end() ? std::string_view() : *found;
}

class SchemaWriter {
 public:
  explicit SchemaWriter(std::string_view schema) : m_schema(schema) {
    std::string_view nullable;
    read_fields(schema, {{"nullable", &nullable}, {"type", &m_type}});
    m_nullable = nullable == "true";
  }

  void append(std::string& out) const {
    JsonCursor cursor(m_schema);
    out.push_back('{');
    cursor.begin_object();
    while (const auto key = cursor.next_field()) append_field(*key, cursor.take(), out);
    out.push_back('}');
  }

 private:
  void append_field(std::string_view key, std::string_view value, std::string& out) const {
    if (key == "type") {
      append_type(value, out);
    } else if (key == "enum" && m_nullable) {
      append_key(key, out);
      append_list(value, "null", out);
    } else if (key == "defs" || key == "ref") {
      append_key(key == "ref" ? "$ref" : "$defs", out);
      key == "ref" ? void(out.append(value)) : append_map(value, out);
    } else if (key == "$defs" || !spelled(key, k_maps).empty()) {
      append_key(key == "$defs" ? key : spelled(key, k_maps), out);
      append_map(value, out);
    } else if (const auto list = spelled(key, k_lists); !list.empty()) {
      append_key(list, out);
      append_list(value, list == "anyOf" && m_nullable && m_type.empty() ? R"({"type":"null"})" : "", out);
    } else if (const auto schema = spelled(key, k_schemas); !schema.empty()) {
      append_key(schema, out);
      append_schema(value, out);
    } else if (const auto count = spelled(key, k_counts); !count.empty()) {
      append_key(count, out);
      out.append(is_number_in_quotes(value) ? text_body(value) : value);
    } else if (const auto left_out = spelled(key, k_left_out); left_out.empty()) {
      append_key(key, out);
      out.append(value);
    } else if (left_out == "format" && value != "\"enum\"") {
      append_key(key, out);
      out.append(value);
    }
  }

  void append_type(std::string_view value, std::string& out) const {
    const std::string type = in_small_letters(value);
    if (type == "\"type_unspecified\"") return;
    append_key("type", out);
    if (m_nullable && type.front() == '"') {
      out.append("[").append(type).append(",\"null\"]");
    } else {
      out.append(type);
    }
  }

  // 64-bit numbers are texts in ProtoJSON.
  static bool is_number_in_quotes(std::string_view value) {
    const std::string_view digits = text_body(value);
    const bool is_digits = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    return !digits.empty() && is_digits && (digits.size() == 1 || digits.front() != '0');
  }

  std::string_view m_schema;
  std::string_view m_type;
  bool m_nullable = false;
};

// As deep as the body was let to be nested.
void append_schema(std::string_view schema, std::string& out) {
  if (schema.empty() || schema.front() != '{') {
    out.append(schema);
    return;
  }
  SchemaWriter(schema).append(out);
}

}  // namespace

std::string json_schema_of(std::string_view schema) {
  std::string out;
  out.reserve(schema.size());
  append_schema(schema, out);
  return out;
}

}  // namespace nemo::protocol
