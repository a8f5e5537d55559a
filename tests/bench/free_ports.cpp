#include "tests/bench/free_ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <vector>

namespace nemo::bench {

void print_free_ports(int count) {
  // All are held until the end, so that none is given twice.
  std::vector<int> held;
  for (int i = 0; i < count; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(fd, generic, size) != 0 || getsockname(fd, generic, &size) != 0) throw std::runtime_error("no free port");
    std::printf("%s%d", i == 0 ? "" : " ", ntohs(address.sin_port));
    held.push_back(fd);
  }
  std::printf("\n");
  for (const int fd : held) close(fd);
}

}  // namespace nemo::bench
