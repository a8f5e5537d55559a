#include "daemon/start_settings.h"

#include "daemon/config/written_forms.h"

namespace nemo {
namespace {

std::string listen_of(const config::Settings& settings) {
  return to_text(config::ListenAddress{settings.listen_host, settings.listen_port});
}

std::string quoted(const char* name, const std::string& value) {
  return std::string(name).append(" = \"").append(value).append("\"");
}

}  // namespace

StartSettings start_settings_of(const config::Settings& settings, const std::optional<std::string>& given_host) {
  StartSettings started;
  if (!given_host) started.listen = listen_of(settings);
  started.ollama_listen = to_text(settings.ollama_listen);
  started.is_reachable = given_host && *given_host != "[::1]" && !config::is_loopback(*given_host);
  return started;
}

std::vector<std::string> waiting_for_restart(const StartSettings& started, const config::Settings& now) {
  std::vector<std::string> waiting;
  const std::string listen = listen_of(now);
  if (!started.listen.empty() && started.listen != listen) waiting.push_back(quoted("listen", listen));
  const std::string ollama_listen = to_text(now.ollama_listen);
  if (started.ollama_listen != ollama_listen) waiting.push_back(quoted("ollama_listen", ollama_listen));
  if (started.is_reachable && !now.allow_remote) waiting.emplace_back("allow_remote = false");
  return waiting;
}

}  // namespace nemo
