#include "child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace nemo::test {
namespace {

constexpr int k_patience_ms = 60'000;  // a sanitizer's build starts slowly on a busy machine

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

std::string nemod_path() {
  return NEMOD;
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, const Variables& variables) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  m_out = FileDescriptor(pipe[0]);
  const FileDescriptor in(pipe[1]);
  std::vector<std::string> arguments = command;
  std::vector<std::string> environment;
  for (const char* name : {"PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDERR_FILENO);
  const int code = ::posix_spawn(&m_pid, arguments.front().c_str(), &actions, nullptr, pointers(arguments).data(),
                                 pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) throw std::system_error(code, std::generic_category(), arguments.front());
}

ChildProcess::~ChildProcess() {
  if (m_pid < 0) return;
  ::kill(m_pid, SIGKILL);
  ::waitpid(m_pid, nullptr, 0);
}

void ChildProcess::signal(int number) const {
  if (m_pid > 0) ::kill(m_pid, number);
}

bool ChildProcess::read_some() {
  pollfd one{m_out.get(), POLLIN, 0};
  if (::poll(&one, 1, k_patience_ms) <= 0) throw std::runtime_error("the program says nothing; so far: " + m_output);
  std::array<char, 4096> bytes{};
  const ssize_t got = ::read(m_out.get(), bytes.data(), bytes.size());
  if (got <= 0) return false;
  m_output.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

std::string ChildProcess::wait_for_line(const std::string& part) {
  for (;;) {
    for (auto end = m_output.find('\n', m_seen); end != std::string::npos; end = m_output.find('\n', m_seen)) {
      const std::string line = m_output.substr(m_seen, end - m_seen);
      m_seen = end + 1;
      if (line.find(part) != std::string::npos) return line;
    }
    if (!read_some()) return {};
  }
}

int ChildProcess::wait() {
  if (m_pid < 0) return m_code;
  while (read_some()) {
  }
  int status = 0;
  ::waitpid(m_pid, &status, 0);
  m_pid = -1;
  m_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return m_code;
}

}  // namespace nemo::test
