#include "daemon/config/toml_document.h"

#include <exception>

namespace nemo::config {

// The library asserts what some broken texts make false ("[$a]" does), stops the program in a debug build and assumes
// it in a release build. Here such a text is refused in every build.
struct BrokenText : std::exception {};

constexpr void must_hold(bool holds) {
  if (!holds) throw BrokenText{};
}

}  // namespace nemo::config

#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expr) nemo::config::must_hold(static_cast<bool>(expr))
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include <algorithm>
#include <utility>

#include "daemon/config/toml_precheck.h"
#include "shared/secret.h"

namespace nemo::config {
namespace {

constexpr std::size_t k_largest_text = std::size_t{1} << 20U;  // a config is a few kilobytes

Place place_of(const toml::source_position& at) {
  return {at.line, at.column};
}

TomlValue::Kind kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return TomlValue::Kind::text;
    case toml::node_type::integer:
      return TomlValue::Kind::integer;
    case toml::node_type::floating_point:
      return TomlValue::Kind::decimal;
    case toml::node_type::boolean:
      return TomlValue::Kind::truth;
    case toml::node_type::array:
      return TomlValue::Kind::list;
    case toml::node_type::table:
      return TomlValue::Kind::table;
    default:
      return TomlValue::Kind::moment;
  }
}

// As deep as the text is nested, which toml_precheck has bounded before.
TomlValue copy_of(const toml::node& node) {
  TomlValue value;
  value.kind = kind_of(node);
  value.begin = place_of(node.source().begin);
  value.end = place_of(node.source().end);
  if (const auto* text = node.as_string()) value.text = text->get();
  if (const auto* integer = node.as_integer()) value.integer = integer->get();
  if (const auto* truth = node.as_boolean()) value.truth = truth->get();
  if (const auto* list = node.as_array()) {
    for (const toml::node& item : *list) value.children.push_back(copy_of(item));
  }
  if (const auto* table = node.as_table()) {
    for (const auto& [key, member] : *table) {
      value.children.push_back(copy_of(member));
      value.children.back().key = key.str();
      value.children.back().key_at = place_of(key.source().begin);
    }
    std::stable_sort(value.children.begin(), value.children.end(),
                     [](const TomlValue& a, const TomlValue& b) { return a.key_at < b.key_at; });
  }
  return value;
}

bool is_broken(std::string_view text) {
  try {
    static_cast<void>(toml::parse(text));
    return false;
  } catch (const BrokenText&) {
    return true;
  }
}

// The library reads from front to back, so the shortest beginning that breaks it ends with the line at fault.
std::size_t broken_line(std::string_view text) {
  std::vector<std::size_t> ends;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
    ends.push_back(at + 1);
  const auto first =
      std::partition_point(ends.begin(), ends.end(), [&](std::size_t end) { return !is_broken(text.substr(0, end)); });
  return static_cast<std::size_t>(first - ends.begin()) + 1;
}

bool is_bare(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

const TomlValue* TomlValue::find(std::string_view name) const {
  if (kind != Kind::table) return nullptr;
  const auto at =
      std::find_if(children.begin(), children.end(), [&](const TomlValue& each) { return each.key == name; });
  return at == children.end() ? nullptr : &*at;
}

std::string_view to_string(TomlValue::Kind kind) {
  switch (kind) {
    case TomlValue::Kind::text:
      return "text";
    case TomlValue::Kind::integer:
      return "a whole number";
    case TomlValue::Kind::decimal:
      return "a decimal number";
    case TomlValue::Kind::truth:
      return "true or false";
    case TomlValue::Kind::moment:
      return "a date or time";
    case TomlValue::Kind::list:
      return "a list";
    case TomlValue::Kind::table:
      return "a table";
  }
  return "something else";
}

Error error_at(std::string_view file_name, Place at, std::string_view reason) {
  std::string message(file_name);
  if (at.line > 0) message.append(":").append(std::to_string(at.line)).append(":").append(std::to_string(at.column));
  return fail(ErrorKind::invalid_config, message.append(": ").append(reason));
}

Result<TomlValue> read_toml(std::string_view text, std::string_view file_name) {
  if (text.size() > k_largest_text) {
    return error_at(file_name, {}, "the file is larger than 1 MiB; a config of Nemo is a few kilobytes");
  }
  if (const auto flaw = find_flaw(text)) return error_at(file_name, {flaw->line, 1}, flaw->reason);
  try {
    const toml::parse_result parsed = toml::parse(text);
    if (parsed) return copy_of(parsed.table());
    // The library quotes from the text, and a key may have been written there by mistake.
    const std::string reason = redact(parsed.error().description());
    return error_at(file_name, place_of(parsed.error().source().begin), reason + "; this is not valid TOML");
  } catch (const BrokenText&) {
    return error_at(file_name, {broken_line(text), 1}, "no key or value can begin like this; this is not valid TOML");
  }
}

std::string toml_quoted(std::string_view text) {
  constexpr std::string_view k_hex = "0123456789ABCDEF";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted.append(1, '\\').append(1, c);
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted.append("\\u00").append(1, k_hex[byte >> 4U]).append(1, k_hex[byte & 15U]);
    } else {
      quoted.append(1, c);
    }
  }
  return quoted.append("\"");
}

std::string toml_key(std::string_view name) {
  return is_bare(name) ? std::string(name) : toml_quoted(name);
}

}  // namespace nemo::config
