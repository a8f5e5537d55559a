// Who may talk to a daemon on loopback at all: only requests addressed to this machine by name, and only from web pages
// that the config allows. Stops a page in a browser, or a name that was rebound, from spending a developer's money.
#pragma once

#include <string>
#include <string_view>

#include "daemon/config/settings.h"

namespace nemo::http {

// `host` is the Host header ("localhost:6366"); empty (HTTP/1.0) is fine.
bool host_is_allowed(std::string_view host, const config::Settings& settings);
// `origin` is the Origin header; empty (no web page) is fine.
bool origin_is_allowed(std::string_view origin, const config::Settings& settings);

}  // namespace nemo::http
