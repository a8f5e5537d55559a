// Single JSON values as text: reading one that has been checked, and writing one. (quote_json is in field_edit.h.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nemo::protocol {

// What stands between the quotes, unescaped, always valid UTF-8 if `body` is: half a surrogate pair becomes U+FFFD.
// Bodies of several texts may be joined first: a pair that a stream cut in two is then whole.
std::string unescape(std::string_view body);
// The value of a raw JSON text in quotes; nullopt: it is not one.
std::optional<std::string> read_text(std::string_view raw);
// A raw whole number; "12.0" counts, "1e3" and what does not fit 64 bits do not.
std::optional<std::int64_t> read_integer(std::string_view raw);

// A count of tokens as an upstream states it, raw; nullopt: negative, absurd or no number.
std::optional<std::int64_t> read_token_count(std::string_view raw);

// Without the white space around it.
std::string_view trim(std::string_view text);
// At most `most` bytes of `text`, not cutting a character.
std::string_view cut_text(std::string_view text, std::size_t most);

}  // namespace nemo::protocol
