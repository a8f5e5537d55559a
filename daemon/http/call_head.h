// Reads the head of a call as nearly all clients send it, without httplib: its parser costs a fifth of a small call.
// Strict on purpose. Whatever is unusual, doubtful or to be refused is not read here but left to httplib's way, so that
// every refusal exists once.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "daemon/call/surface.h"
#include "daemon/config/settings.h"

namespace nemo::http {

// Views into the head.
struct CallHead {
  call::Surface surface = call::Surface::openai_chat;
  std::size_t body_size = 0;
  std::string_view key;  // what stands behind "Bearer"
  std::string_view user_agent;
};

// `head`: the request line and the headers with the blank line that ends them. Nothing: not a plain call, which is a
// POST of HTTP/1.1 to one of the calls' paths by an allowed host and no web page, with a bearer's key and a body that
// has a length within the limit, on a connection that stays open.
std::optional<CallHead> read_call_head(std::string_view head, const config::Settings& settings);

}  // namespace nemo::http
