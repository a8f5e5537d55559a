#include "daemon/config/written_forms.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "daemon/config/parse_settings.h"

namespace nemo::config {
namespace {

constexpr int k_greatest_port = 65'535;
constexpr std::int64_t k_longest_ms = std::int64_t{366} * 24 * 3'600 * 1'000;  // a year: more is a slip of the finger

Error bad(std::string message) {
  return fail(ErrorKind::invalid_config, std::move(message));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_char);
}

template <typename Number>
std::optional<Number> whole_number(std::string_view digits) {
  Number value = 0;
  const char* end = digits.data() + digits.size();
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  const auto [stopped, problem] = std::from_chars(digits.data(), end, value);
  if (problem != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

std::optional<int> port_of(std::string_view digits) {
  const auto port = whole_number<int>(digits);
  return port && *port <= k_greatest_port ? port : std::nullopt;
}

struct HostPort {
  std::string_view host;
  std::string_view port;
  bool has_port = false;
};

// "host:port", "[v6]:port", each also without a port. The host comes without brackets.
std::optional<HostPort> split_host(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    const bool v6 = host.find(':') != std::string_view::npos &&
                    host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
    if (!v6 || (!rest.empty() && rest.front() != ':')) return std::nullopt;
    return HostPort{host, rest.empty() ? rest : rest.substr(1), !rest.empty()};
  }
  const auto colon = text.find(':');
  const std::string_view host = text.substr(0, colon);
  if (!is_name(host)) return std::nullopt;
  if (colon == std::string_view::npos) return HostPort{host, {}, false};
  return HostPort{host, text.substr(colon + 1), true};
}

struct Unit {
  std::string_view name;
  std::int64_t millis;
};
constexpr std::array<Unit, 4> k_units{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

}  // namespace

Result<ListenAddress> parse_listen(std::string_view text) {
  const auto parts = split_host(text);
  if (!parts || !parts->has_port)
    return bad("not an address to listen on; write HOST:PORT, such as \"127.0.0.1:6366\"");
  const auto port = port_of(parts->port);
  if (!port) return bad("the port must be a whole number from 0 to 65535");
  return ListenAddress{std::string(parts->host), *port};
}

std::string to_text(const ListenAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Result<OllamaListen> parse_ollama_listen(std::string_view text) {
  if (text == "off") return OllamaListen{};
  OllamaListen listen;
  if (text == "auto") {
    listen.when = OllamaListen::When::if_free;
    return listen;
  }
  auto address = parse_listen(text);
  if (!address) return bad("write \"off\", \"auto\", or HOST:PORT, such as \"127.0.0.1:11434\"");
  listen.when = OllamaListen::When::always;
  listen.host = std::move(address->host);
  listen.port = address->port;
  return listen;
}

std::string to_text(const OllamaListen& listen) {
  switch (listen.when) {
    case OllamaListen::When::off:
      return "off";
    case OllamaListen::When::if_free:
      return "auto";
    case OllamaListen::When::always:
      break;
  }
  return to_text(ListenAddress{listen.host, listen.port});
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  if (!host.starts_with("127.")) return false;
  // Four numbers: "127.evil.example" is a name that anybody can point anywhere.
  int numbers = 0;
  while (true) {
    const auto dot = host.find('.');
    const auto number = whole_number<int>(host.substr(0, dot));
    if (!number || *number > 255) return false;
    ++numbers;
    if (dot == std::string_view::npos) return numbers == 4;
    host.remove_prefix(dot + 1);
  }
}

Result<std::string> parse_base_url(std::string_view text) {
  const auto scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end);
  if (scheme_end == std::string_view::npos || (scheme != "http" && scheme != "https")) {
    return bad("not a URL of an upstream; it must begin with http:// or https://");
  }
  std::string_view rest = text.substr(scheme_end + 3);
  const bool printable = std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!printable) return bad("a URL has no spaces, control characters or letters outside of ASCII; write them as %XX");
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return bad("a base URL has no \"?\" or \"#\" part; write only scheme, host and path");
  }
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.find('@') != std::string_view::npos) {
    return bad("a base URL holds no name or password; write key = \"secret:NAME\" instead");
  }
  const auto host = split_host(authority);
  if (!host) return bad("the URL names no host; write it like \"https://api.example.com/v1\"");
  const auto port = port_of(host->port);
  if (host->has_port && (!port || *port == 0)) return bad("the URL's port must be a whole number from 1 to 65535");
  std::string url(text);
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Result<SecretRef> parse_secret_ref(std::string_view text) {
  const auto wrong = bad("not a reference to a secret; write secret:NAME, env:NAME or file:PATH, never the key itself");
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return wrong;
  const std::string_view kind = text.substr(0, colon);
  const std::string_view name = text.substr(colon + 1);
  if (kind == "secret" && is_name(name)) return SecretRef{SecretRef::Kind::secret, std::string(name)};
  if (kind == "env" && is_name(name) && !is_digit(name.front()) && name.find_first_of("-.") == std::string_view::npos) {
    return SecretRef{SecretRef::Kind::env, std::string(name)};
  }
  const bool path = !name.empty() && name.find('\0') == std::string_view::npos;
  if (kind == "file" && path) return SecretRef{SecretRef::Kind::file, std::string(name)};
  return wrong;
}

std::string to_text(const SecretRef& reference) {
  switch (reference.kind) {
    case SecretRef::Kind::none:
      return "";
    case SecretRef::Kind::secret:
      return "secret:" + reference.name;
    case SecretRef::Kind::env:
      return "env:" + reference.name;
    case SecretRef::Kind::file:
      return "file:" + reference.name;
  }
  return "";
}

Result<Millis> parse_duration(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = whole_number<std::int64_t>(text.substr(0, digits));
  const std::string_view unit_name = text.substr(digits);
  const auto unit =
      std::find_if(k_units.begin(), k_units.end(), [&](const Unit& each) { return each.name == unit_name; });
  if (!count || unit == k_units.end()) {
    return bad("not a duration; write a whole number with ms, s, m or h, such as \"2s\" or \"150ms\"");
  }
  if (*count > k_longest_ms / unit->millis) return bad("a duration longer than a year");
  return Millis{*count * unit->millis};
}

std::string to_text(Millis duration) {
  const std::int64_t millis = duration.count();
  if (millis == 0) return "0s";
  const auto unit =
      std::find_if(k_units.begin(), k_units.end(), [&](const Unit& each) { return millis % each.millis == 0; });
  return std::to_string(millis / unit->millis) + std::string(unit->name);
}

Status check_origin(std::string_view text) {
  const auto scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end);
  const bool named = scheme_end != std::string_view::npos && is_name(scheme) && text.size() > scheme_end + 3;
  const std::string_view rest = named ? text.substr(scheme_end + 3) : std::string_view{};
  const bool plain = std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c < 0x7f && c != '*'; });
  if (!named || !plain || rest.find_first_of("/?#") != std::string_view::npos) {
    return bad("not an origin; write scheme, host and port as a browser sends them, such as \"http://localhost:3000\"");
  }
  return Done{};
}

Status check_host(std::string_view text) {
  if (!is_name(text)) return bad("not a host name; write it without scheme, port and path, such as \"nemo.internal\"");
  return Done{};
}

}  // namespace nemo::config
