// The contents of a Gemini request as the messages of a chat. Source: Gemini API reference (Content, Part, function
// calling, thought signatures).
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace nemo::protocol {

// The elements with commas; both arguments are raw and have been checked to be JSON; an empty `system` is none.
// Calls and responses without an id are paired by name, in order. Thoughts of earlier turns, signatures of texts and
// pictures that a model made are left out: a chat has no place for them. invalid_request names the part.
Result<std::string> chat_messages_of(std::string_view contents, std::string_view system);

}  // namespace nemo::protocol
