#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/support/fake_google/google_endpoints.h"
#include "tests/support/fake_upstream/server.h"

namespace {

constexpr const char* k_usage =
    "usage: fake_google [--port N] [--script JSON] [--exit-with-parent]\n"
    "Google's token endpoint, metadata server and Vertex AI, made up, on 127.0.0.1. Port 0 picks a free one.\n";

}  // namespace

int main(int argc, char** argv) {
  using nemo::fake_google::Json;
  std::uint16_t port = 0;
  bool exit_with_parent = false;
  Json script = {{"reasoning_tokens", 7}};
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (std::strcmp(argv[i], "--exit-with-parent") == 0) {
      exit_with_parent = true;
    } else if (has_value && std::strcmp(argv[i], "--port") == 0) {
      port = static_cast<std::uint16_t>(std::strtoul(argv[++i], nullptr, 10));
    } else if (has_value && std::strcmp(argv[i], "--script") == 0) {
      const Json given = Json::parse(argv[++i], nullptr, false);
      nemo::fake_upstream::Script probe;
      if (const auto problem = nemo::fake_upstream::apply_fields(probe, given)) {
        std::fprintf(stderr, "fake_google: %s\n", problem->c_str());
        return 2;
      }
      script.update(given);
    } else {
      std::fputs(k_usage, stderr);
      return 2;
    }
  }
  if (exit_with_parent) {
    const pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) return 0;
  }
  nemo::fake_google::GoogleEndpoints endpoints(script);
  nemo::fake_upstream::Server server(endpoints);
  const int bound = server.listen(port);
  if (bound < 0) {
    std::perror("fake_google: cannot listen");
    return 1;
  }
  endpoints.set_port(bound);
  std::printf("fake google ready on http://127.0.0.1:%d\n", bound);
  std::fflush(stdout);
  server.run();
  return 0;
}
