#include "daemon/http/request_facts.h"

#include <strings.h>

#include <utility>

#include "daemon/http/routes.h"

namespace nemo::http {
namespace {

Secret sent_key_of(const httplib::Request& request) {
  const auto find = [&](const char* name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? std::string() : found->second;
  };
  const std::string authorization = find("authorization");
  constexpr std::string_view k_bearer = "bearer ";
  if (authorization.size() > k_bearer.size() &&
      strncasecmp(authorization.data(), k_bearer.data(), k_bearer.size()) == 0) {
    return Secret(authorization.substr(k_bearer.size()));
  }
  for (const char* name : {"x-api-key", "x-goog-api-key", "api-key"}) {
    if (std::string value = find(name); !value.empty()) return Secret(std::move(value));
  }
  const auto parameter = request.params.find("key");
  return parameter == request.params.end() ? Secret() : Secret(parameter->second);
}

}  // namespace

// Editors that were given a key in their address often send another service's key, or a made-up one, beside it.
Secret key_of(const httplib::Request& request) {
  Secret sent = sent_key_of(request);
  if (sent.expose().starts_with("sk-nemo-")) return sent;
  std::string_view path = request.path;
  const std::string_view in_path = take_key(path);
  return in_path.empty() ? sent : Secret(std::string(in_path));
}

std::vector<std::string> dialect_headers_of(const httplib::Request& request) {
  std::vector<std::string> headers;
  for (const char* name : {"anthropic-version", "anthropic-beta"}) {
    if (std::string value = request.get_header_value(name); !value.empty()) {
      headers.push_back(std::string(name).append(": ").append(value));
    }
  }
  return headers;
}

std::string_view path_of(const httplib::Request& request) {
  std::string_view path = request.path;
  take_key(path);
  return path;
}

bool framing_is_clear(const httplib::Request& request) {
  const std::size_t lengths = request.get_header_value_count("Content-Length");
  const std::size_t encodings = request.get_header_value_count("Transfer-Encoding");
  if (lengths + encodings > 1) return false;
  if (encodings == 1) return strcasecmp(request.get_header_value("Transfer-Encoding").c_str(), "chunked") == 0;
  return request.get_header_value("Content-Length").find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace nemo::http
