// What llama.cpp's server answers at /infill and /completion. Source: its README (tools/server).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "daemon/protocol/surface_form.h"

namespace nemo::protocol {

// {"content":"…",…}, a list of them for several choices. Compact: llama.vim looks for "content":" without a blank.
// Where the request names its response_fields, these alone, "timings/prompt_n" as one key.
Result<std::string> llamacpp_answer(std::string_view hub_answer, const Telling& telling);
// data: {"content":"…","stop":false,…}; the last one has "stop":true and the counts.
std::unique_ptr<stream::Translator> make_llamacpp_translator(const Telling& telling);

// {"error":{"code":400,"message":"…","type":"invalid_request_error"}}
std::string llamacpp_error_body(const Error& error);

}  // namespace nemo::protocol
