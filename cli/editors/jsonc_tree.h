// JSON with comments and trailing commas, as VS Code, Zed and opencode read their settings, with the position of
// everything. Format: https://code.visualstudio.com/docs/languages/json#_json-with-comments
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace nemo::cli::editors {

struct JsoncMember;

struct JsoncValue {
  enum class Kind : std::uint8_t { object, array, other };
  Kind kind = Kind::other;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t tail = 0;  // objects: where the last thing before "}" ends, comments included
  std::vector<JsoncMember> members;

  // The one that readers take: of several with one name, the last.
  const JsoncMember* find(std::string_view key) const;
};

struct JsoncMember {
  std::string key;
  std::size_t begin = 0;  // of the key's quote
  JsoncValue value;
  std::optional<std::size_t> comma;  // that follows
};

// The one value of the text; nothing when there are only blanks and comments. Nested at most 64 deep.
Result<std::optional<JsoncValue>> read_jsonc(std::string_view text);

}  // namespace nemo::cli::editors
