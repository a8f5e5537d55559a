// A chat's chunks as the events of streamGenerateContent. Source: Gemini API reference (streaming with alt=sse).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "daemon/protocol/surfaces/gemini_answer.h"
#include "daemon/stream/translator.h"

namespace nemo::protocol {

// Texts go over as they come. Calls of functions are told whole, in the last event, which also has the finish reasons
// and the usage; what is gathered for it is bounded. No comment goes out: Google's clients cannot read one.
std::unique_ptr<stream::Translator> make_chat_to_gemini_translator(std::string_view model, Thoughts thoughts);

}  // namespace nemo::protocol
