// What an upstream of each dialect reads and writes.
#pragma once

#include <string>

#include "daemon/protocol/conversation.h"
#include "spoken.h"

namespace nemo::test {

Spoken read_request(protocol::Dialect dialect, const std::string& body);
std::string whole_in(protocol::Dialect dialect, const Reply& reply);
// With texts and arguments in pieces, calls beside each other where the dialect can, and empty deltas.
std::string stream_in(protocol::Dialect dialect, const Reply& reply, Dice& dice);

}  // namespace nemo::test
