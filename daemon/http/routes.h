// The table of paths, looked up by whole text (with and without /v1): cheaper than any pattern.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/call/surface.h"
#include "daemon/gateway/pages/pages.h"

namespace nemo::http {

using gateway::Page;

// Views into the path.
struct Route {
  Page page = Page::root;
  call::Surface surface = call::Surface::openai_chat;  // of a call; for a page: in whose shape it speaks
  std::string_view rest;                               // of a model's page, or of a Gemini call: the model's id
  std::string_view method;                             // the one it answers: "GET" (and HEAD) or "POST"
  std::optional<bool> stream = {};                     // of a Gemini call
};

std::optional<Route> find_route(std::string_view path);

// For clients that can be given an address but no key: /key/SK-NEMO-…/any/path. `path` is left with what follows; empty
// when there is none.
std::string_view take_key(std::string_view& path);

// In whose shape an unknown path is refused.
call::Surface voice_of(std::string_view path);

}  // namespace nemo::http
