#include "cli/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include <array>
#include <cerrno>
#include <system_error>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX asks programs to declare it

namespace nemo::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_most_captured = std::size_t{1} << 20U;

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

fs::path own_folder() {
#ifdef __APPLE__
  std::array<char, 4096> path{};
  std::uint32_t size = path.size();
  return _NSGetExecutablePath(path.data(), &size) == 0 ? fs::path(path.data()).parent_path() : fs::path();
#else
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path();
#endif
}

class Pipe {
 public:
  Pipe() : m_made(::pipe(m_ends.data()) == 0) {
    for (const int end : m_ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  bool made() const { return m_made; }
  int write_end() const { return m_ends[1]; }

  std::string read_to_end() {
    close_end(1);
    std::string text;
    std::array<char, 4096> chunk{};
    while (true) {
      const ssize_t got = ::read(m_ends[0], chunk.data(), chunk.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return text;
      if (text.size() < k_most_captured) text.append(chunk.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  void close_end(std::size_t end) {
    if (m_ends[end] >= 0) ::close(m_ends[end]);
    m_ends[end] = -1;
  }

  std::array<int, 2> m_ends{-1, -1};
  bool m_made = false;
};

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&m_actions); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&m_actions); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  void write_both_to(int fd) {
    ::posix_spawn_file_actions_adddup2(&m_actions, fd, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&m_actions, fd, STDERR_FILENO);
  }
  const posix_spawn_file_actions_t* get() const { return &m_actions; }

 private:
  posix_spawn_file_actions_t m_actions{};
};

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::optional<fs::path> find_nemod(const Environment& env) {
  if (const fs::path beside = own_folder() / "nemod"; is_program(beside)) return beside;
  return find_program(env, "nemod");
}

std::optional<fs::path> find_program(const Environment& env, const std::string& name) {
  std::string folders = env("PATH").value_or("");
  while (!folders.empty()) {
    const std::size_t end = folders.find(':');
    const std::string folder = folders.substr(0, end);
    folders = end == std::string::npos ? "" : folders.substr(end + 1);
    if (!folder.empty() && is_program(fs::path(folder) / name)) return fs::path(folder) / name;
  }
  return std::nullopt;
}

Result<Outcome> run_program(const fs::path& program, const std::vector<std::string>& arguments, Output output) {
  std::string name = program.string();
  std::vector<std::string> words = arguments;
  std::vector<char*> argv{name.data()};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  Pipe pipe;
  SpawnActions actions;
  if (output == Output::capture) {
    if (!pipe.made()) return fail(ErrorKind::internal, "cannot make a pipe");
    actions.write_both_to(pipe.write_end());
  }
  pid_t child = 0;
  const int error = ::posix_spawn(&child, name.c_str(), actions.get(), nullptr, argv.data(), environ);
  if (error != 0) {
    return fail(ErrorKind::internal, "cannot run " + name + ": " + std::generic_category().message(error));
  }
  Outcome outcome;
  if (output == Output::capture) outcome.text = pipe.read_to_end();
  outcome.exit_status = wait_for(child);
  return outcome;
}

Result<Outcome> check_config(const Environment& env, const std::string& file, Output output) {
  const auto nemod = find_nemod(env);
  if (!nemod) return fail(ErrorKind::not_found, "nemod is neither beside nemo nor in PATH");
  std::vector<std::string> arguments{"--check-config"};
  if (!file.empty()) arguments.insert(arguments.end(), {"--config", file});
  return run_program(*nemod, arguments, output);
}

}  // namespace nemo::cli
