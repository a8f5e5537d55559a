// Measures what a request gives a model to read.
#pragma once

#include <string_view>

#include "daemon/call/prompt_size.h"

namespace nemo::protocol {

// Over the whole body: what is not prompt is little, and the sum is meant to be too high. Images given as data URLs
// count as images and not as text; so does every image that is only linked to.
call::PromptSize measure_prompt(std::string_view body);

}  // namespace nemo::protocol
