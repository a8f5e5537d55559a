// The items of a response's input as the messages of a chat. Source: OpenAI API reference (responses, input items).
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace nemo::protocol {

// A list of messages, as JSON. `instructions` is a raw text, or empty. `input` is the raw value: a text or a list.
//
// Calls that follow each other are one assistant message, and their outputs stand right behind it, wherever they came.
// Items of tools that OpenAI's servers run (web_search_call, …) are left out: what they found is in the messages.
// Reasoning that another service has encrypted is left out too. An item_reference, and every item that is not known,
// is invalid_request: the model would miss what it says.
Result<std::string> chat_messages(std::string_view instructions, std::string_view input);

}  // namespace nemo::protocol
