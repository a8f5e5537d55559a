// The hole that a /v1/completions call asks to have filled, in whichever way the caller told of it, and the same told
// in the way that the answering model takes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/call/fim_form.h"
#include "daemon/protocol/fim/fim_prompt.h"
#include "daemon/protocol/request_body.h"
#include "shared/result.h"

namespace nemo::protocol {

// A field of this daemon's own beside prompt and suffix: [{"path","content"}], other files for context. It reaches no
// upstream.
inline constexpr std::string_view k_files_field = "nemo_files";

// The field's value for a body that is told in OpenAI's form.
std::string files_json(const std::vector<FimFile>& files);

// nullopt: nothing is to be filled, or several prompts came. invalid_request: files that are not what they should be.
Result<std::optional<FimPrompt>> find_hole(const RequestBody& body);

// Whether the body says it in that form already, so that its bytes may pass.
bool is_told_in(call::FimForm form, const FimPrompt& hole, const RequestBody& body);

// The body with the hole told in that form, and that form's stop texts beside the caller's own.
std::string tell_hole(call::FimForm form, const FimPrompt& hole, const RequestBody& body);

// The texts of the body's "stop", one or several; other values are none.
std::vector<std::string> stop_texts(const RequestBody& body);

}  // namespace nemo::protocol
