#include "daemon/upstream/local/target.h"

#include <algorithm>
#include <charconv>

namespace nemo::upstream::local {

bool is_this_machine(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::optional<Target> read_target(std::string_view url) {
  constexpr std::string_view k_scheme = "http://";
  if (!url.starts_with(k_scheme)) return std::nullopt;
  const auto fits = [](char c) { return c > ' ' && c <= '~' && c != '#' && c != '@' && c != '"' && c != '\\'; };
  if (!std::all_of(url.begin(), url.end(), fits)) return std::nullopt;
  url.remove_prefix(k_scheme.size());
  Target target;
  target.authority = url.substr(0, url.find_first_of("/?"));
  target.path = url.substr(target.authority.size());
  if (target.path.starts_with('?')) return std::nullopt;
  std::string_view port;
  if (target.authority.starts_with('[')) {
    const auto end = target.authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    target.host = target.authority.substr(1, end - 1);
    port = target.authority.substr(end + 1);
  } else {
    target.host = target.authority.substr(0, target.authority.find(':'));
    port = target.authority.substr(target.host.size());
  }
  if (!port.empty()) {
    if (port.front() != ':') return std::nullopt;
    port.remove_prefix(1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), target.port);
    if (error != std::errc() || end != port.data() + port.size() || target.port == 0) return std::nullopt;
  }
  if (!is_this_machine(target.host)) return std::nullopt;
  return target;
}

}  // namespace nemo::upstream::local
