// What a client of each surface writes and reads.
#pragma once

#include <string>

#include "daemon/call/surface.h"
#include "spoken.h"

namespace nemo::test {

enum class Streamed : std::uint8_t { no, yes };

// Of the surfaces that hold chats.
std::string request_in(call::Surface surface, const Spoken& spoken, Streamed streamed, Dice& dice);
Reply read_whole(call::Surface surface, const std::string& body);
Reply read_stream(call::Surface surface, const std::string& bytes);

// Whether requests and answers of that surface carry the ids of tool calls.
bool has_ids(call::Surface surface);

}  // namespace nemo::test
