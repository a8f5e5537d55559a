#include "daemon/http/call_head.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "daemon/http/gatekeeper.h"
#include "daemon/http/routes.h"

namespace nemo::http {
namespace {

// Longer lines are refused by httplib.
constexpr std::size_t k_longest_head = 8192;

enum class Known : std::uint8_t { host, authorization, content_length, user_agent, connection, unfit, other };

struct Name {
  std::string_view text;
  Known known;
};

// unfit: says how the body or the connection is to be read, or who calls, in a way that only httplib's side knows.
constexpr std::array<Name, 11> k_names{{{"host", Known::host},
                                        {"authorization", Known::authorization},
                                        {"content-length", Known::content_length},
                                        {"user-agent", Known::user_agent},
                                        {"connection", Known::connection},
                                        {"origin", Known::unfit},
                                        {"expect", Known::unfit},
                                        {"transfer-encoding", Known::unfit},
                                        {"content-encoding", Known::unfit},
                                        {"upgrade", Known::unfit},
                                        {"proxy-connection", Known::unfit}}};

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

Known known_name(std::string_view name) {
  const auto found =
      std::find_if(k_names.begin(), k_names.end(), [&](const Name& one) { return same_word(one.text, name); });
  return found == k_names.end() ? Known::other : found->known;
}

bool is_token(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

// httplib decodes a per cent sign in a value.
bool is_plain(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~' && c != '%'; });
}

std::string_view trimmed(std::string_view value) {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return value;
}

// Nothing: it does not end as it should.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const auto feed = rest.find('\n');
  if (feed == std::string_view::npos || feed == 0 || rest.find('\r') != feed - 1) return std::nullopt;
  const std::string_view line = rest.substr(0, feed - 1);
  rest.remove_prefix(feed + 1);
  return line;
}

std::optional<call::Surface> read_request_line(std::string_view line) {
  constexpr std::string_view k_before = "POST ";
  constexpr std::string_view k_behind = " HTTP/1.1";
  if (!line.starts_with(k_before) || !line.ends_with(k_behind)) return std::nullopt;
  line.remove_prefix(k_before.size());
  line.remove_suffix(std::min(line.size(), k_behind.size()));
  const auto route = find_route(line);
  if (!route || route->page != Page::call) return std::nullopt;
  // These say more in their path and headers than is read here.
  const bool says_more = route->surface == call::Surface::gemini || route->surface == call::Surface::anthropic_messages;
  if (says_more) return std::nullopt;
  return route->surface;
}

class Headers {
 public:
  // False: not to be read here.
  bool take(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
    const Known name = known_name(line.substr(0, colon));
    if (name == Known::other) return true;
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (name == Known::unfit || value.empty() || !is_plain(value)) return false;
    std::string_view& kept = m_values[static_cast<std::size_t>(name)];
    if (!kept.empty()) return false;
    kept = value;
    return true;
  }

  std::string_view value(Known name) const { return m_values[static_cast<std::size_t>(name)]; }

 private:
  std::array<std::string_view, k_names.size()> m_values{};
};

bool read_size(std::string_view text, std::size_t& size) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<CallHead> read_call_head(std::string_view head, const config::Settings& settings) {
  if (head.size() > k_longest_head) return std::nullopt;
  const auto request_line = take_line(head);
  const auto surface = request_line ? read_request_line(*request_line) : std::nullopt;
  if (!surface) return std::nullopt;
  Headers headers;
  for (;;) {
    const auto line = take_line(head);
    if (!line) return std::nullopt;
    if (line->empty()) break;
    if (!headers.take(*line)) return std::nullopt;
  }
  const std::string_view connection = headers.value(Known::connection);
  if (!connection.empty() && !same_word(connection, "keep-alive")) return std::nullopt;
  const std::string_view host = headers.value(Known::host);
  if (host.empty() || !host_is_allowed(host, settings)) return std::nullopt;

  CallHead call;
  call.surface = *surface;
  call.user_agent = headers.value(Known::user_agent);
  if (!read_size(headers.value(Known::content_length), call.body_size)) return std::nullopt;
  if (call.body_size == 0 || call.body_size > settings.max_body_bytes) return std::nullopt;
  constexpr std::string_view k_bearer = "bearer ";
  const std::string_view authorization = headers.value(Known::authorization);
  if (!same_word(authorization.substr(0, k_bearer.size()), k_bearer)) return std::nullopt;
  call.key = authorization.substr(k_bearer.size());
  if (call.key.empty() || call.key.front() == ' ') return std::nullopt;
  return call;
}

}  // namespace nemo::http
