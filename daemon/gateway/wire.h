// How one deployment is reached: what is spoken there, at which address, with which headers.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/protocol/conversation.h"
#include "daemon/routing/route.h"
#include "daemon/upstream/transport.h"
#include "shared/result.h"

namespace nemo::gateway {

struct Asked;

struct Sending {
  std::unique_ptr<protocol::Conversation> conversation;
  upstream::Request request;  // without its token
};

// What goes to that deployment for this call. invalid_request: the upstream cannot serve it, and why.
Result<Sending> prepare(const Asked& asked, const routing::Decision::Choice& choice,
                        std::optional<std::int64_t> output_cap);

}  // namespace nemo::gateway
