#include "daemon/origin/peer_origins.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <functional>
#include <thread>

#include "daemon/origin/small_file.h"
#include "eventually.h"
#include "shared/file_descriptor.h"
#include "temp_folder.h"

namespace nemo::test::peer_origins_test {

using namespace nemo;
using namespace nemo::origin;
using nemo::test::eventually;
namespace fs = std::filesystem;

namespace {

struct Listener {
  explicit Listener(int family) : socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (family == AF_INET6) {
      auto& six = reinterpret_cast<sockaddr_in6&>(address);
      six.sin6_family = AF_INET6;
      six.sin6_addr = in6addr_loopback;
      size = sizeof six;
    } else {
      auto& four = reinterpret_cast<sockaddr_in&>(address);
      four.sin_family = AF_INET;
      four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      size = sizeof four;
    }
    is_there = ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(socket.get(), 4) == 0;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  }
  FileDescriptor socket;
  sockaddr_storage address{};
  socklen_t size = 0;
  bool is_there = false;
};

// A process in `folder` that connects and stays until this object goes.
class Caller {
 public:
  Caller(const Listener& listener, const fs::path& folder) {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    m_stays = FileDescriptor(pipe[1]);
    const FileDescriptor end(pipe[0]);
    m_pid = ::fork();
    if (m_pid == 0) call(listener, folder, end.get());
    m_accepted = FileDescriptor(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  ~Caller() {
    m_stays.reset();
    ::waitpid(m_pid, nullptr, 0);
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  int fd() const { return m_accepted.get(); }

 private:
  // In the child, where only what is safe in a signal's handler may be used.
  [[noreturn]] void call(const Listener& listener, const fs::path& folder, int end) const {
    ::close(m_stays.get());
    const bool there = ::chdir(folder.c_str()) == 0;
    const int fd = ::socket(listener.address.ss_family, SOCK_STREAM, 0);
    if (there && ::connect(fd, reinterpret_cast<const sockaddr*>(&listener.address), listener.size) == 0) {
      char byte = 0;
      [[maybe_unused]] const auto got = ::read(end, &byte, 1);
    }
    ::_exit(0);
  }

  pid_t m_pid = -1;
  FileDescriptor m_stays;
  FileDescriptor m_accepted;
};

}  // namespace

TEST_CASE("a process that connects over loopback is found with its project and branch, by either kind of address") {
  const test::TempFolder folder;
  const fs::path project = fs::canonical(folder.path()) / "api";
  fs::create_directories(project / ".git");
  fs::create_directories(project / "src");
  std::ofstream(project / ".git" / "HEAD") << "ref: refs/heads/feature/x\n";
  for (const int family : {AF_INET, AF_INET6}) {
    const Listener listener(family);
    if (family == AF_INET6 && !listener.is_there) continue;  // this machine has no IPv6
    REQUIRE(listener.is_there);
    const Caller caller(listener, project / "src");
    PeerOrigins origins;
    const auto slot = std::make_shared<call::OriginSlot>();
    origins.find(caller.fd(), slot);
    CHECK(eventually([&] { return slot->get() != call::Origin{}; }));
    const call::Origin found = slot->get();
    CHECK(found.project == project.string());
    CHECK(found.branch == "feature/x");
    CHECK(found.process + "\n" == read_small_file("/proc/self/comm"));  // it is a fork of this program
  }
}

TEST_CASE("a branch that changes is seen when it is asked again, and one connection does not get another's") {
  const test::TempFolder folder;
  const fs::path root = fs::canonical(folder.path());
  for (const char* name : {"a", "b"}) {
    fs::create_directories(root / name / ".git");
    std::ofstream(root / name / ".git" / "HEAD") << "ref: refs/heads/" << name << '\n';
  }
  const Listener listener(AF_INET);
  const Caller first(listener, root / "a");
  const Caller second(listener, root / "b");
  PeerOrigins origins;
  const auto slot_a = std::make_shared<call::OriginSlot>();
  const auto slot_b = std::make_shared<call::OriginSlot>();
  origins.find(first.fd(), slot_a);
  origins.find(second.fd(), slot_b);
  CHECK(eventually([&] { return slot_b->get().branch == "b" && slot_a->get().branch == "a"; }));
  std::ofstream(root / "a" / ".git" / "HEAD") << "ref: refs/heads/other\n";
  origins.find(first.fd(), slot_a);
  CHECK(eventually([&] { return slot_a->get().branch == "other"; }));
  CHECK(slot_b->get().project == (root / "b").string());
}

TEST_CASE("a connection of this process itself has no origin, and neither has what is no connection") {
  const test::TempFolder folder;
  const Listener listener(AF_INET);
  fs::create_directories(folder.path() / ".git");
  std::ofstream(folder.path() / ".git" / "HEAD") << "ref: refs/heads/main\n";
  const Caller caller(listener, folder.path());  // first, so that it has no descriptor of ours
  const FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&listener.address), listener.size) == 0);
  const FileDescriptor server(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  PeerOrigins origins;
  const auto own = std::make_shared<call::OriginSlot>();
  const auto none = std::make_shared<call::OriginSlot>();
  const auto known = std::make_shared<call::OriginSlot>();
  origins.find(server.get(), own);
  origins.find(listener.socket.get(), none);
  origins.find(caller.fd(), known);  // asked last: once it is there, so were the others looked at
  CHECK(eventually([&] { return known->get().branch == "main"; }));
  CHECK(own->get() == call::Origin{});
  CHECK(none->get() == call::Origin{});
}

TEST_CASE("connections that come too fast are dropped and counted, and nobody waits for them") {
  const Listener listener(AF_INET);
  const FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&listener.address), listener.size) == 0);
  const FileDescriptor server(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  PeerOrigins origins;
  const auto slot = std::make_shared<call::OriginSlot>();
  // The thread takes all that wait at once, and rests; this one goes on until it was faster.
  CHECK(eventually([&] {
    for (int i = 0; i < 1000; ++i) origins.find(server.get(), slot);
    return origins.dropped() > 0;
  }));
}

}  // namespace nemo::test::peer_origins_test
