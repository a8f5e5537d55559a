// What only the model's own upstream can read of its thoughts (Anthropic's signed blocks, Gemini's signatures) and the
// text of reasoning, for the next request: it travels as the encrypted_content of a reasoning item, which clients send
// back as it is. Source: OpenAI API reference (responses, reasoning items).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nemo::protocol {

struct CarriedThoughts {
  std::string reasoning;        // what stands between the quotes
  std::string thinking_blocks;  // raw, what stands between the brackets
  std::string extra_contents;   // fields of an object: the call's id -> its extra_content
  bool empty() const { return reasoning.empty() && thinking_blocks.empty() && extra_contents.empty(); }
};

// A raw JSON text.
std::string pack_thoughts(const CarriedThoughts& thoughts);
// nullopt: packed by somebody else, or not what it should be.
std::optional<CarriedThoughts> unpack_thoughts(std::string_view raw_text);

}  // namespace nemo::protocol
