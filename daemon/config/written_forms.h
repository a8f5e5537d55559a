// How single values are written in nemo.toml: addresses, URLs, references to secrets, durations. Each reads text and
// says what it expects when it cannot; none of the messages repeats what might be a secret.
#pragma once

#include <string>
#include <string_view>

#include "daemon/config/settings.h"
#include "shared/result.h"

namespace nemo::config {

struct ListenAddress {
  std::string host;  // without brackets: "127.0.0.1", "::1", "localhost"
  int port = 0;      // 0: any free port
};

// "127.0.0.1:6366", "[::1]:6366", "localhost:0"
Result<ListenAddress> parse_listen(std::string_view text);
std::string to_text(const ListenAddress& address);
// "off", "auto" (Ollama's own address, if it is free) or HOST:PORT
Result<OllamaListen> parse_ollama_listen(std::string_view text);
std::string to_text(const OllamaListen& listen);
// localhost, 127.0.0.0/8 and ::1
bool is_loopback(std::string_view host);

// "http://…" or "https://…", given back without slashes at its end.
Result<std::string> parse_base_url(std::string_view text);

// "secret:NAME", "env:NAME", "file:PATH"
Result<SecretRef> parse_secret_ref(std::string_view text);
std::string to_text(const SecretRef& reference);

// The largest unit that is exact: 5000 ms is "5s", 90 s is "90s", 60 s is "1m".
std::string to_text(Millis duration);

// A web page's origin, as a browser sends it: "http://localhost:3000".
Status check_origin(std::string_view text);
// A name that may stand in a Host header: no scheme, no port, no path.
Status check_host(std::string_view text);

}  // namespace nemo::config
