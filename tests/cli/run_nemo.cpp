#include "tests/cli/run_nemo.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace nemo::test {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  return {ends[0], ends[1]};
}

// In the child, between fork and exec: the parent has threads, so only what was made before may be used.
struct Words {
  explicit Words(const Invocation& invocation) {
    texts.emplace_back(NEMO_PROGRAM);
    texts.insert(texts.end(), invocation.arguments.begin(), invocation.arguments.end());
    const std::size_t arguments = texts.size();
    const char* path = std::getenv("PATH");
    if (!invocation.environment.contains("PATH")) {
      texts.push_back(std::string("PATH=") + (path == nullptr ? "" : path));
    }
    texts.emplace_back("TZ=UTC");
    for (const auto& [name, value] : invocation.environment) texts.push_back(name + "=" + value);
    for (std::size_t i = 0; i < texts.size(); ++i) (i < arguments ? argv : environment).push_back(texts[i].data());
    argv.push_back(nullptr);
    environment.push_back(nullptr);
  }
  std::vector<std::string> texts;
  std::vector<char*> argv;
  std::vector<char*> environment;
};

pid_t start(const Invocation& invocation, int in, int out, int err, bool own_terminal) {
  Words words(invocation);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child > 0) return child;
  if (own_terminal) {
    ::setsid();
    ::ioctl(in, TIOCSCTTY, 0);
  }
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::execve(words.argv.front(), words.argv.data(), words.environment.data());
  ::_exit(127);
}

void write_all(int fd, const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t put = ::write(fd, text.data() + written, text.size() - written);
    if (put <= 0) return;  // the program did not want it all
    written += static_cast<std::size_t>(put);
  }
}

// False: the stream has ended.
bool read_some(int fd, std::string& into) {
  std::array<char, 4096> chunk{};
  const ssize_t got = ::read(fd, chunk.data(), chunk.size());
  if (got <= 0) return false;
  into.append(chunk.data(), static_cast<std::size_t>(got));
  return true;
}

void read_both(int out, int err, Said& said) {
  std::array<pollfd, 2> streams{{{out, POLLIN, 0}, {err, POLLIN, 0}}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    ::poll(streams.data(), streams.size(), -1);
    if (streams[0].revents != 0 && !read_some(out, said.out)) streams[0].fd = -1;
    if (streams[1].revents != 0 && !read_some(err, said.err)) streams[1].fd = -1;
  }
}

// Waits until the program has turned the terminal's echo off: what is typed sooner would be shown, or thrown away.
// False: the program has ended.
bool wait_for_unseen_typing(int master, std::string& shown) {
  constexpr int k_look_again_ms = 2;
  while (true) {
    pollfd stream{master, POLLIN, 0};
    ::poll(&stream, 1, k_look_again_ms);
    if (stream.revents != 0 && !read_some(master, shown)) return false;
    termios settings{};
    if (::tcgetattr(master, &settings) == 0 && (settings.c_lflag & ECHO) == 0) return true;
  }
}

int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Said run_nemo(const Invocation& invocation) {
  ::signal(SIGPIPE, SIG_IGN);
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  const pid_t child = start(invocation, in.read_end, out.write_end, err.write_end, false);
  for (const int fd : {in.read_end, out.write_end, err.write_end}) ::close(fd);
  write_all(in.write_end, invocation.input);
  ::close(in.write_end);
  Said said;
  read_both(out.read_end, err.read_end, said);
  for (const int fd : {out.read_end, err.read_end}) ::close(fd);
  said.status = wait_for(child);
  return said;
}

Said run_nemo_in_terminal(const Invocation& invocation) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) throw std::runtime_error("no terminal");
  const int terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  winsize size{};
  size.ws_col = 100;
  size.ws_row = 40;
  ::ioctl(terminal, TIOCSWINSZ, &size);
  Invocation with_terminal = invocation;
  with_terminal.environment.emplace("TERM", "xterm-256color");
  const pid_t child = start(with_terminal, terminal, terminal, terminal, true);
  ::close(terminal);
  Said said;
  if (!invocation.input.empty() && wait_for_unseen_typing(master, said.out)) write_all(master, invocation.input);
  while (read_some(master, said.out)) continue;
  ::close(master);
  said.status = wait_for(child);
  return said;
}

RunningNemo::RunningNemo(const Invocation& invocation) {
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  m_child = start(invocation, in.read_end, out.write_end, STDERR_FILENO, false);
  ::close(in.read_end);
  ::close(out.write_end);
  m_input = in.write_end;
  m_output = out.read_end;
}

RunningNemo::~RunningNemo() {
  ::kill(m_child, SIGKILL);
  wait_for(m_child);
  ::close(m_input);
  ::close(m_output);
}

std::string RunningNemo::read_line() {
  std::string line;
  char byte = 0;
  while (::read(m_output, &byte, 1) == 1 && byte != '\n') line.push_back(byte);
  return line;
}

}  // namespace nemo::test
