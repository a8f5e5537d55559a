#include "daemon/start_settings.h"

#include <doctest/doctest.h>

namespace nemo::test::start_settings_test {

using namespace nemo;

namespace {

using When = config::OllamaListen::When;
using Waiting = std::vector<std::string>;

}  // namespace

TEST_CASE("what nemod heeds when it starts waits for a restart, until the config is as it was") {
  config::Settings settings;
  const StartSettings started = start_settings_of(settings, std::nullopt);
  CHECK(waiting_for_restart(started, settings).empty());
  settings.retention_days = 7;
  settings.require_key = false;
  CHECK(waiting_for_restart(started, settings).empty());
  settings.listen_port = 7000;
  settings.ollama_listen.when = When::if_free;
  CHECK(waiting_for_restart(started, settings) == Waiting{R"(listen = "127.0.0.1:7000")", R"(ollama_listen = "auto")"});
  settings.listen_port = 6366;
  settings.ollama_listen = {When::always, "::1", 9000};
  CHECK(waiting_for_restart(started, settings) == Waiting{R"(ollama_listen = "[::1]:9000")"});
  settings.ollama_listen.when = When::off;
  CHECK(waiting_for_restart(started, settings).empty());
}

TEST_CASE("an address from the command line holds after a restart too, so the config's makes nobody wait") {
  config::Settings settings;
  const StartSettings started = start_settings_of(settings, "127.0.0.1");
  settings.listen_port = 7000;
  CHECK(waiting_for_restart(started, settings).empty());
  settings.ollama_listen.when = When::if_free;
  CHECK(waiting_for_restart(started, settings) == Waiting{R"(ollama_listen = "auto")"});
}

TEST_CASE("a daemon that other machines reach by the command line's address goes on so until it starts again") {
  config::Settings settings;
  settings.allow_remote = true;
  const StartSettings started = start_settings_of(settings, "0.0.0.0");
  CHECK(waiting_for_restart(started, settings).empty());
  settings.allow_remote = false;
  CHECK(waiting_for_restart(started, settings) == Waiting{"allow_remote = false"});
  for (const char* own : {"localhost", "127.0.0.1", "::1", "[::1]"}) {
    CAPTURE(own);
    CHECK(waiting_for_restart(start_settings_of(settings, own), settings).empty());
  }
}

}  // namespace nemo::test::start_settings_test
