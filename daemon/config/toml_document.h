// TOML text as a plain tree in which every value knows where it stands. The only door to the TOML library.
// Format: TOML 1.0, https://toml.io/en/v1.0.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace nemo::config {

// Both count from 1; a column is a character, not a byte. {0, 0}: nowhere in the text.
struct Place {
  std::size_t line = 0;
  std::size_t column = 0;

  friend bool operator<(const Place& a, const Place& b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
  }
};

struct TomlValue {
  enum class Kind : std::uint8_t { text, integer, decimal, truth, moment, list, table };

  Kind kind = Kind::table;
  std::string key;  // in a table; empty in a list
  Place key_at;
  Place begin;  // of the value; of a [table] its header, of a table made by dotted keys the key
  Place end;    // just behind a text, number or truth
  std::string text;
  std::int64_t integer = 0;
  bool truth = false;
  std::vector<TomlValue> children;  // of a list or table, in the order of the text

  const TomlValue* find(std::string_view name) const;  // a table's member; null: not there
};

// "text", "a whole number", "a table", …
std::string_view to_string(TomlValue::Kind kind);

// "nemo.toml:12:3: reason"
Error error_at(std::string_view file_name, Place at, std::string_view reason);

// The root table. Refuses text that is no TOML, that is larger than 1 MiB, or nested deeper than a config can be.
Result<TomlValue> read_toml(std::string_view text, std::string_view file_name);

// `text` as a basic string of TOML, quotes included.
std::string toml_quoted(std::string_view text);
// `name` as a key: bare where it can be, else quoted.
std::string toml_key(std::string_view name);

}  // namespace nemo::config
