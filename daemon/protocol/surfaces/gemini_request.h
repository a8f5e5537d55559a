// A generateContent request: what it asks for, and how it is told as an OpenAI chat. Source: Gemini API reference
// (models.generateContent, GenerationConfig, ThinkingConfig).
#pragma once

#include <string>
#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/protocol/request_body.h"
#include "daemon/protocol/surface_form.h"
#include "shared/result.h"

namespace nemo::protocol {

Result<call::CallSpec> parse_gemini(const RequestBody& body, const PathWords& path);

// Left out knowingly: safetySettings, labels, mediaResolution, top-k where it is Gemini's own 64 (OpenAI refuses the
// field), Google's own tools beside functions. Refused by name: cachedContent, responseLogprobs, answers that are not
// text.
Result<std::string> gemini_request_to_chat(const RequestBody& body, const call::CallSpec& spec);

// generationConfig.thinkingConfig.includeThoughts: without it Gemini keeps its thoughts to itself.
bool wants_thoughts(const RequestBody& body);

}  // namespace nemo::protocol
