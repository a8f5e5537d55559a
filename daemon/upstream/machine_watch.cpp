#include "daemon/upstream/machine_watch.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <ctime>
#include <memory>
#include <set>
#include <utility>

namespace nemo::upstream {
namespace {

// The two clocks are read one after the other: less than this is no sleep.
constexpr std::chrono::seconds k_shortest_sleep{2};

std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return std::chrono::nanoseconds(0);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* ip4 = reinterpret_cast<const sockaddr_in*>(address);
    return ::inet_ntop(AF_INET, &ip4->sin_addr, text.data(), text.size()) == nullptr ? "" : text.data();
  }
  if (address->sa_family != AF_INET6) return {};
  const auto* ip6 = reinterpret_cast<const sockaddr_in6*>(address);
  if (IN6_IS_ADDR_LINKLOCAL(&ip6->sin6_addr)) return {};
  return ::inet_ntop(AF_INET6, &ip6->sin6_addr, text.data(), text.size()) == nullptr ? "" : text.data();
}

std::string read_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(first, ::freeifaddrs);
  std::set<std::string> found;
  for (const ifaddrs* one = all.get(); one != nullptr; one = one->ifa_next) {
    const bool counts = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
    if (!counts || one->ifa_addr == nullptr) continue;
    std::string text = text_of(one->ifa_addr);
    if (!text.empty()) found.insert(std::move(text));
  }
  std::string joined;
  for (const std::string& one : found) joined.append(one).append(" ");
  return joined;
}

}  // namespace

Sight look_at_machine() {
#ifdef CLOCK_BOOTTIME
  // One of the two stands still while the machine sleeps.
  return {read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC), read_addresses()};
#else
  return {std::chrono::nanoseconds(0), read_addresses()};
#endif
}

bool MachineWatch::has_changed() {
  Sight now = m_look();
  const bool has_slept = now.slept >= m_last.slept + k_shortest_sleep;
  const bool is_elsewhere = !now.addresses.empty() && now.addresses != m_last.addresses;
  if (has_slept) m_last.slept = now.slept;
  if (is_elsewhere) m_last.addresses = std::move(now.addresses);
  return has_slept || is_elsewhere;
}

}  // namespace nemo::upstream
