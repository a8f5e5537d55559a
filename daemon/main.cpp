// nemod: reads its flags, starts the daemon, and waits for signals.
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "daemon/configuration.h"
#include "daemon/daemon.h"
#include "shared/file_descriptor.h"
#include "shared/log.h"
#include "shared/version.h"

namespace {

namespace fs = std::filesystem;

constexpr int k_refused = 1;
constexpr int k_usage = 2;
constexpr timespec k_config_check{1, 0};

struct Flags {
  std::string config;
  std::string data_folder;
  std::string listen;
  std::string log_level = "info";
  bool check_config = false;
  bool version = false;
};

// Keys are in memory: no core dump, and no other process of this user may look into it.
void protect_memory() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// A stream needs two descriptors; the usual soft limit of 1,024 would end at 500.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65'536);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Bodies of some hundred kilobytes are usual: taken from the heap and kept there, they cost no page faults a call.
void tune_heap() {
#ifdef __GLIBC__
  constexpr int k_mapped_from = 4 << 20;
  constexpr int k_kept_free = 8 << 20;
  ::mallopt(M_MMAP_THRESHOLD, k_mapped_from);  // NOLINT(concurrency-mt-unsafe): before there is any thread
  ::mallopt(M_TRIM_THRESHOLD, k_kept_free);    // NOLINT(concurrency-mt-unsafe): before there is any thread
#endif
}

// sd_notify(3): one datagram to the socket that the service manager named.
void notify_service_manager(std::string_view message) {
  const auto path = nemo::process_environment("NOTIFY_SOCKET");
  if (!path || path->empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path->size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path->data(), path->size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const nemo::FileDescriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path->size());
  if (::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), length) <
      0) {
    nemo::log::warn("the service manager could not be told that nemod is ready");
  }
}

bool parse_listen(const std::string& text, std::pair<std::string, int>& out) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) return false;
  const std::string port = text.substr(colon + 1);
  if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos) return false;
  out = {text.substr(0, colon), std::stoi(port)};
  return !out.first.empty() && out.second <= 65'535;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host == "::1" || host.starts_with("127.");
}

int complain(std::string_view message, int code) {
  std::fprintf(stderr, "nemod: %.*s\n", static_cast<int>(message.size()), message.data());
  return code;
}

int check_config(const fs::path& file) {
  const auto settings = nemo::load_settings(file);
  if (!settings) return complain(settings.error().message, k_refused);
  std::error_code ignored;
  std::printf("%s: %s\n", file.c_str(), fs::exists(file, ignored) ? "ok" : "not there, so the defaults hold");
  return 0;
}

// Until SIGTERM or SIGINT. SIGHUP and a changed file reload the config.
void wait_for_signals(nemo::Daemon& daemon, const sigset_t& signals) {
  for (;;) {
    const int signal = ::sigtimedwait(&signals, nullptr, &k_config_check);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGHUP) {
      const auto reloaded = daemon.reload();
      if (!reloaded) nemo::log::error("the config is not used: " + reloaded.error().message);
      if (reloaded) nemo::log::info("config reloaded");
      continue;
    }
    daemon.tend();
  }
}

int run(const Flags& flags, nemo::DaemonOptions options) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  // Before any thread exists, so that all inherit it and signals come to this one only.
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(0077);
  protect_memory();
  raise_descriptor_limit();
  tune_heap();
  if (!flags.listen.empty()) {
    std::pair<std::string, int> listen;
    if (!parse_listen(flags.listen, listen))
      return complain("--listen takes HOST:PORT, such as 127.0.0.1:6366", k_usage);
    const auto settings = nemo::load_settings(options.config_file);
    if (!is_loopback(listen.first) && !(settings && settings->allow_remote)) {
      return complain(listen.first +
                          " is not a loopback address: other machines could spend your money. Set "
                          "allow_remote = true in the config if they should.",
                      k_refused);
    }
    options.listen = listen;
  }
  auto daemon = nemo::Daemon::start(std::move(options));
  if (!daemon) return complain(daemon.error().message, k_refused);
  std::fprintf(stderr, "nemod ready on %s\n", (*daemon)->url().c_str());
  notify_service_manager("READY=1");
  wait_for_signals(**daemon, signals);
  notify_service_manager("STOPPING=1");
  nemo::log::info("stopping: running calls may come to their end");
  if (!(*daemon)->stop()) nemo::log::warn("calls that were still running have been ended");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app{"nemod: the daemon between your editor and the models"};
  app.add_option("--config", flags.config, "the config file (default: ~/.config/nemo/nemo.toml)");
  app.add_option("--data-dir", flags.data_folder,
                 "where the ledger, keys and socket are (default: ~/.local/share/nemo)");
  app.add_option("--listen", flags.listen, "HOST:PORT instead of the config's; port 0 picks a free one");
  app.add_option("--log-level", flags.log_level, "error, warn, info or debug")
      ->check(CLI::IsMember({"error", "warn", "info", "debug"}));
  app.add_flag("--check-config", flags.check_config, "say whether the config can be used, and stop");
  app.add_flag("--version", flags.version, "say the version, and stop");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : k_usage;
  }
  if (flags.version) {
    std::printf("nemod %s\n", std::string(nemo::version()).c_str());
    return 0;
  }
  nemo::log::set_level(*nemo::log::parse_level(flags.log_level));
  const nemo::Environment env = nemo::process_environment;
  nemo::DaemonOptions options;
  options.config_file = fs::absolute(flags.config.empty() ? nemo::config_file(env) : fs::path(flags.config));
  const bool data_given = !flags.data_folder.empty();
  options.data_folder = fs::absolute(data_given ? fs::path(flags.data_folder) : nemo::data_folder(env));
  options.socket = nemo::admin_socket(env, data_given ? std::optional(options.data_folder) : std::nullopt);
  if (!flags.config.empty() && !fs::exists(options.config_file)) {
    return complain("there is no file " + flags.config, k_refused);
  }
  if (flags.check_config) return check_config(options.config_file);
  try {
    return run(flags, std::move(options));
  } catch (const std::exception& error) {
    return complain(error.what(), k_refused);
  }
}
