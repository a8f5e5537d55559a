#include "daemon/http/gatekeeper.h"

#include <algorithm>

namespace nemo::http {
namespace {

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == std::string_view::npos) return host;
    const bool port_follows = end + 1 == host.size() || host[end + 1] == ':';
    return port_follows ? host.substr(0, end + 1) : host;
  }
  return host.substr(0, host.find(':'));
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

bool host_is_allowed(std::string_view host, const config::Settings& settings) {
  if (host.empty()) return true;
  const std::string_view name = without_port(host);
  for (const std::string_view own : {"localhost", "127.0.0.1", "[::1]"}) {
    if (equal_ignoring_case(name, own)) return true;
  }
  if (equal_ignoring_case(name, settings.listen_host)) return true;
  return std::any_of(settings.allowed_hosts.begin(), settings.allowed_hosts.end(),
                     [&](const std::string& one) { return equal_ignoring_case(name, one); });
}

bool origin_is_allowed(std::string_view origin, const config::Settings& settings) {
  if (origin.empty()) return true;
  return std::find(settings.allowed_origins.begin(), settings.allowed_origins.end(), origin) !=
         settings.allowed_origins.end();
}

}  // namespace nemo::http
