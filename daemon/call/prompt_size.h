// How much a request gives a model to read, before anybody has counted its tokens.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nemo::call {

// Bytes of JSON. Those of images are in neither sum.
struct PromptSize {
  std::size_t ascii_bytes = 0;
  std::size_t other_bytes = 0;  // of characters beyond ASCII
  std::int64_t images = 0;
};

}  // namespace nemo::call
