// Errors as Anthropic tells them. Source: Anthropic API reference (errors, streaming messages).
#pragma once

#include <string>

#include "shared/result.h"

namespace nemo::protocol {

// {"type":"error","error":{"type","message"}}, compact, one line. The type is upstream's own where that is one of
// Anthropic's, else it goes by the status.
std::string messages_error_body(const Error& error);
// The same inside a stream: "event: error\ndata: {...}\n\n".
std::string messages_error_event(const Error& error);

}  // namespace nemo::protocol
