// OpenAI's embeddings, seen from an upstream that has a shape of its own: what was asked for, and the answer's text.
// Source: OpenAI API reference, embeddings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/protocol/request_body.h"
#include "shared/result.h"

namespace nemo::protocol {

enum class Encoding : std::uint8_t { numbers, base64 };  // base64: of 32-bit floats, little end first

struct EmbeddingsAsked {
  std::vector<std::string_view> texts;  // raw JSON in quotes, views into the body
  std::optional<std::int64_t> dimensions;
  Encoding encoding = Encoding::numbers;
};

// invalid_request names the field: tokens instead of text, dimensions or encoding_format that are none.
Result<EmbeddingsAsked> read_embeddings_request(const RequestBody& body);

// `vectors`: raw JSON lists of numbers, one for each text that was asked for. upstream_error: they are not, or there
// are more or fewer.
Result<std::string> write_embeddings_answer(const std::vector<std::string_view>& vectors, const EmbeddingsAsked& asked,
                                            std::string_view model, std::int64_t input_tokens);

}  // namespace nemo::protocol
