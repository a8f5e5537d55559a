// A URL of a server on this machine, taken apart. Internal to upstream/.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nemo::upstream::local {

// Views into the URL.
struct Target {
  std::string_view authority;  // "127.0.0.1:8080": names the place, and goes into the Host header
  std::string_view host;       // "localhost", "127.0.0.1" or "::1"
  std::uint16_t port = 80;
  std::string_view path;  // with its query; empty: "/"
};

// Nothing: not clear HTTP, another machine, or a URL with more to it (a user, a fragment, what is to be escaped).
std::optional<Target> read_target(std::string_view url);

// "127.0.0.1" and "localhost" are this machine, "127.example.com" only looks like it.
bool is_this_machine(std::string_view host);

}  // namespace nemo::upstream::local
