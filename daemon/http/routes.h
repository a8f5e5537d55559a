// The table of paths, looked up by whole text (with and without /v1): cheaper than any pattern.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/call/surface.h"

namespace nemo::http {

enum class Page : std::uint8_t { call, model_list, model, health, root };

struct Route {
  Page page = Page::root;
  call::Surface surface = call::Surface::openai_chat;  // of a call
  std::string_view rest;                               // of a model: its id
  std::string_view method;                             // the one it answers: "GET" (and HEAD) or "POST"
};

std::optional<Route> find_route(std::string_view path);

}  // namespace nemo::http
