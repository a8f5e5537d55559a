// Text as the inside of a JSON string.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nemo {

// Appends `text` escaped, without quotes; bytes that are not UTF-8 become U+FFFD.
void append_json_escaped(std::string& out, std::string_view text);

// Length of the valid UTF-8 character that begins at `at`; 0: there is none.
std::size_t utf8_length(std::string_view text, std::size_t at);

}  // namespace nemo
