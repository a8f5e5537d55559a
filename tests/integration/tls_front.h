// A TLS front that speaks HTTP/2 (nghttpx), before a fake upstream: what real services look like from the daemon's
// side.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness.h"

namespace nemo::test {

class TlsFront {
 public:
  explicit TlsFront(int backend_port) : m_port(free_port()) {
    make_certificate();
    start(backend_port);
    if (!eventually([this] { return accepts(); })) throw std::runtime_error("nghttpx does not start");
  }
  ~TlsFront() {
    ::kill(m_pid, SIGTERM);
    ::waitpid(m_pid, nullptr, 0);
  }
  TlsFront(const TlsFront&) = delete;
  TlsFront& operator=(const TlsFront&) = delete;

  std::string base_url() const { return "https://127.0.0.1:" + std::to_string(m_port) + "/v1"; }
  std::string ca_file() const { return file("cert.pem"); }

  struct Line {
    std::string client_port;  // one for each connection
    std::string protocol;     // "h2" or "http/1.1"
    std::string status;
    std::string path;
  };
  // The requests whose answers have ended, one way or the other.
  std::vector<Line> access_log() const {
    std::vector<Line> lines;
    std::ifstream log(file("access.log"));
    for (std::string text; std::getline(log, text);) {
      Line line;
      std::istringstream(text) >> line.client_port >> line.protocol >> line.status >> line.path;
      lines.push_back(line);
    }
    return lines;
  }
  // Connections over which requests came.
  std::set<std::string> connections() const {
    std::set<std::string> ports;
    for (const Line& line : access_log()) ports.insert(line.client_port);
    return ports;
  }

 private:
  std::string file(const std::string& name) const { return (m_folder.path() / name).string(); }

  static int free_port() {
    const FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      throw std::runtime_error("no free port");
    }
    return ntohs(address.sin_port);
  }

  bool accepts() const {
    const FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(m_port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  // Silent: what the program says goes nowhere.
  static pid_t spawn(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& one : arguments) argv.push_back(one.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid = -1;
    const int code = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0) throw std::runtime_error(arguments[0] + " is not installed");
    return pid;
  }

  void make_certificate() const {
    const pid_t pid = spawn({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                             "-nodes", "-days", "2", "-subj", "/CN=test upstream", "-addext",
                             "subjectAltName=IP:127.0.0.1", "-keyout", file("key.pem"), "-out", file("cert.pem")});
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (status != 0) throw std::runtime_error("openssl made no certificate");
  }

  void start(int backend_port) {
    m_pid =
        spawn({"nghttpx", "--conf=/dev/null", "--single-process", "--workers=1", "--no-ocsp",
               "--frontend=127.0.0.1," + std::to_string(m_port), "--backend=127.0.0.1," + std::to_string(backend_port),
               "--accesslog-file=" + file("access.log"), "--accesslog-format=$remote_port $alpn $status $path",
               "--errorlog-file=" + file("error.log"), file("key.pem"), file("cert.pem")});
  }

  TempFolder m_folder;
  int m_port;
  pid_t m_pid = -1;
};

}  // namespace nemo::test
