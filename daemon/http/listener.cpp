#include "daemon/http/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <system_error>

namespace nemo::http {
namespace {

namespace fs = std::filesystem;

// More than the clients of one machine open at once; the kernel caps it at net.core.somaxconn.
constexpr int k_backlog = 4096;

std::string reason(int code) {
  return std::error_code(code, std::generic_category()).message();
}

// The socket inode that listens on `port`, from /proc/net/tcp (columns: local_address, state 0A = LISTEN, inode).
std::string listening_inode(int port) {
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
      const auto colon = local.rfind(':');
      if (state != "0A" || colon == std::string::npos) continue;
      if (std::stoi(local.substr(colon + 1), nullptr, 16) == port) return inode;
    }
  }
  return {};
}

std::string name_of(const fs::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  std::getline(file, name);
  return name;
}

// Whether `process` has the socket open. Nothing: it does not show its descriptors.
std::optional<bool> holds(const fs::path& process, const std::string& socket) {
  std::error_code hidden;
  for (const auto& fd : fs::directory_iterator(process / "fd", hidden)) {
    std::error_code gone;
    if (fs::read_symlink(fd.path(), gone) == socket) return true;
    if (gone == std::errc::permission_denied) return std::nullopt;
  }
  if (hidden == std::errc::permission_denied) return std::nullopt;
  return false;
}

// "nginx (process 1234)", or empty when it cannot be seen (another user's process, or not Linux). A nemod hides its
// descriptors, as it has keys in memory: one that runs is the likely holder of a nemod's port.
std::string holder_of(int port) {
  const std::string inode = listening_inode(port);
  if (inode.empty()) return {};
  std::string likely;
  std::error_code ignored;
  for (const auto& process : fs::directory_iterator("/proc", ignored)) {
    const std::string pid = process.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto held = holds(process.path(), "socket:[" + inode + "]");
    if (held.value_or(false)) return name_of(process.path()) + " (process " + pid + ")";
    if (!held && name_of(process.path()) == "nemod") likely = "another program, probably nemod (process " + pid + ")";
  }
  return likely;
}

Error cannot_listen(const std::string& host, int port, int code) {
  const std::string where = host + ":" + std::to_string(port);
  if (code == EADDRINUSE) {
    const std::string holder = holder_of(port);
    return fail(ErrorKind::conflict,
                where + " is in use" + (holder.empty() ? std::string() : " by " + holder) +
                    ". Stop that program, or start nemod with another address: --listen 127.0.0.1:6367");
  }
  return fail(ErrorKind::storage, "Cannot listen on " + where + ": " + reason(code) + ".");
}

}  // namespace

Result<Listener> listen_on(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const std::string bare = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  if (const int code = getaddrinfo(bare.c_str(), std::to_string(port).c_str(), &hints, &list); code != 0) {
    return fail(ErrorKind::invalid_config, "Cannot listen on " + host + ": " + gai_strerror(code) + ".");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(list, &freeaddrinfo);
  const addrinfo& address = *addresses;
  Listener listener;
  listener.host = host;
  listener.socket = FileDescriptor(
      ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
  if (!listener.socket.valid()) return cannot_listen(host, port, errno);
  const int on = 1;
  ::setsockopt(listener.socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listener.socket.get(), address.ai_addr, address.ai_addrlen) != 0 ||
      ::listen(listener.socket.get(), k_backlog) != 0) {
    return cannot_listen(host, port, errno);
  }
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (::getsockname(listener.socket.get(), reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
    return cannot_listen(host, port, errno);
  }
  listener.port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                                    : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  return listener;
}

std::string url_of(const std::string& host, int port) {
  const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return "http://" + (bare_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace nemo::http
