#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/fake_upstream/server.h"

namespace {

using nemo::fake_upstream::Json;

constexpr const char* k_usage =
    "usage: fake_upstream [--port N] [--tokens-per-second N] [--first-token-ms N] [--tokens N] [--script JSON]\n"
    "                     [--exit-with-parent]\n"
    "An upstream that answers as OpenAI does, with made-up words, on 127.0.0.1. Port 0 picks a free one.\n"
    "The fields of a script are told in fake_upstream/script.h, the pages that steer it in endpoints.h. What \"hold\" "
    "or\n"
    "\"hold_after_chunks\" hold back goes on at POST /control/release.\n";

struct Options {
  std::uint16_t port = 0;
  bool exit_with_parent = false;
  Json script = Json::object();
};

bool read_option(Options& options, std::string_view name, const char* value) {
  if (name == "--port") {
    options.port = static_cast<std::uint16_t>(std::strtoul(value, nullptr, 10));
  } else if (name == "--tokens-per-second") {
    const double rate = std::strtod(value, nullptr);
    if (rate > 0) options.script["chunk_ms"] = 1000.0 / rate;
  } else if (name == "--first-token-ms") {
    options.script["first_token_ms"] = std::strtod(value, nullptr);
  } else if (name == "--tokens") {
    options.script["tokens"] = std::strtoll(value, nullptr, 10);
  } else if (name == "--script") {
    const Json script = Json::parse(value, nullptr, false);
    nemo::fake_upstream::Script probe;
    if (const auto problem = nemo::fake_upstream::apply_fields(probe, script)) {
      std::fprintf(stderr, "fake_upstream: %s\n", problem->c_str());
      return false;
    }
    options.script.update(script);
  } else {
    return false;
  }
  return true;
}

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--exit-with-parent") == 0) {
      options.exit_with_parent = true;
    } else if (i + 1 >= argc || !read_option(options, argv[i], argv[i + 1])) {
      return std::nullopt;
    } else {
      ++i;
    }
  }
  return options;
}

// A thousand streams want a thousand descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = read_options(argc, argv);
  if (!options) {
    std::fputs(k_usage, stderr);
    return 2;
  }
  if (options->exit_with_parent) {
    const pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) return 0;
  }
  raise_descriptor_limit();
  nemo::fake_upstream::Endpoints endpoints(options->script);
  nemo::fake_upstream::Server server(endpoints);
  const int port = server.listen(options->port);
  if (port < 0) {
    std::perror("fake_upstream: cannot listen");
    return 1;
  }
  std::printf("fake upstream ready on http://127.0.0.1:%d\n", port);
  std::fflush(stdout);
  server.run();
  return 0;
}
