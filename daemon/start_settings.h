// The settings that are heeded when nemod starts and not again: where it listens.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/config/settings.h"

namespace nemo {

struct StartSettings {
  std::string listen;  // as in the config; empty: the command line named another address, which holds
  std::string ollama_listen;
  bool is_reachable = false;  // that other address, by other machines
};

// `given_host`: of an address on the command line.
StartSettings start_settings_of(const config::Settings& settings, const std::optional<std::string>& given_host);

// What the config says by now and a restart alone puts in force: "listen = \"127.0.0.1:7000\"", … Pure; any thread.
std::vector<std::string> waiting_for_restart(const StartSettings& started, const config::Settings& now);

}  // namespace nemo
