// Chunks of a chat as Anthropic's events. Source: Anthropic API reference (streaming messages).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "daemon/protocol/surface_form.h"
#include "daemon/stream/translator.h"

namespace nemo::protocol {

// Blocks come one after the other: where tool calls come interleaved, the later ones wait until the arguments of the
// first are complete. Texts and arguments go over as they stand between their quotes. Nothing comes after an error.
std::unique_ptr<stream::Translator> make_chat_to_messages_translator(const Telling& telling);

}  // namespace nemo::protocol
