// The content of one item of a response's input: text, or a list of parts. Source: OpenAI API reference (responses).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "shared/result.h"

namespace nemo::protocol {

struct ItemContent {
  std::string text;   // of all text parts, joined; between the quotes
  std::string parts;  // everything, as the parts of a chat message with commas
  std::string media;  // those of them that are no text
  std::size_t texts = 0;
};

// `raw` is the value of the field that `path` names; `between` stands between two texts, escaped. invalid_request names
// the part that cannot be told.
Result<ItemContent> read_item_content(std::string_view raw, const std::string& path, std::string_view between);

}  // namespace nemo::protocol
