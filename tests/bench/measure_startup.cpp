#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "tests/bench/http_connection.h"
#include "tests/bench/measure.h"

namespace nemo::bench {
namespace {

// Starts the command with its standard error on the write end of `pipe_ends`.
pid_t start(const std::vector<std::string>& command, const std::array<int, 2>& pipe_ends) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) {
    dup2(pipe_ends[1], STDERR_FILENO);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  return pid;
}

bool read_until(int fd, const std::string& text) {
  std::string seen;
  std::array<char, 4096> buffer{};
  while (seen.find(text) == std::string::npos) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got <= 0) return false;
    seen.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

void measure_startup(const std::vector<std::string>& command, const std::string& ready_text, const ResultFile& results,
                     int times) {
  Samples samples;
  for (int i = 0; i < times; ++i) {
    std::array<int, 2> pipe_ends{};
    if (pipe(pipe_ends.data()) != 0) throw std::runtime_error("pipe failed");
    const double start_ms = monotonic_ms();
    const pid_t pid = start(command, pipe_ends);
    close(pipe_ends[1]);
    const bool ready = read_until(pipe_ends[0], ready_text);
    const double took_ms = monotonic_ms() - start_ms;
    kill(pid, SIGTERM);
    // Its last words must not block it.
    read_until(pipe_ends[0], std::string(1, '\0'));
    close(pipe_ends[0]);
    waitpid(pid, nullptr, 0);
    if (!ready) throw std::runtime_error(command[0] + " ended before it was ready");
    samples.add(took_ms);
  }
  results.add("start to ready, ms", "nemod", samples, "none");
}

}  // namespace nemo::bench
