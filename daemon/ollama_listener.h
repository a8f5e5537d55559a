// The second listening address, where clients look for an Ollama of this machine: the same server once more.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "daemon/config/settings.h"
#include "daemon/http/editor_server.h"

namespace nemo {

// What became of ollama_listen.
struct OllamaPlace {
  enum class State : std::uint8_t { off, listening, not_had };
  State state = State::off;
  std::string url;            // empty: off
  std::string why;            // not had: who is there
  bool only_if_free = false;  // "auto"
};

// As the config says. An address that cannot be had is told in the log and is no failure: the first one is there.
OllamaPlace listen_for_ollama(http::EditorServer& server, const config::Settings& settings);

// Both drain at the same time, each for at most `patience`. True: all calls came to their end.
bool stop_both(http::EditorServer& first, http::EditorServer& second, std::chrono::milliseconds patience);

}  // namespace nemo
