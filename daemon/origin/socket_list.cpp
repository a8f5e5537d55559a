#include "daemon/origin/socket_list.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace nemo::origin {
namespace {

constexpr std::size_t k_fields = 10;  // of a line, up to the inode
constexpr std::size_t k_own_end = 1;
constexpr std::size_t k_other_end = 2;
constexpr std::size_t k_user = 7;
constexpr std::size_t k_inode = 9;

std::optional<sockaddr_storage> address_by(int (*ask)(int, sockaddr*, socklen_t*), int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (ask(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  return address;
}

const sockaddr_in& as_ipv4(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr_in&>(address);
}

const sockaddr_in6& as_ipv6(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr_in6&>(address);
}

bool is_loopback(const sockaddr_storage& address) {
  constexpr unsigned char k_loopback_network = 127;
  if (address.ss_family == AF_INET) {
    return (ntohl(as_ipv4(address).sin_addr.s_addr) >> 24U) == k_loopback_network;
  }
  if (address.ss_family != AF_INET6) return false;
  const in6_addr& bytes = as_ipv6(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&bytes)) return bytes.s6_addr[12] == k_loopback_network;
  return IN6_IS_ADDR_LOOPBACK(&bytes);
}

// As printf's %08X and %04X.
void append_hex(std::string& out, std::uint32_t number, int digits) {
  constexpr std::string_view k_digits = "0123456789ABCDEF";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out.push_back(k_digits[(number >> shift) & 0xFU]);
}

using Words = std::array<std::uint32_t, 4>;

// The address of IPv6 as the kernel prints it: four numbers in the machine's own order of bytes. One of IPv4 is mapped.
Words words_of(const sockaddr_storage& address) {
  Words words{};
  if (address.ss_family == AF_INET6) {
    std::memcpy(words.data(), as_ipv6(address).sin6_addr.s6_addr, sizeof words);
  } else {
    words[2] = htonl(0xFFFFU);
    words[3] = as_ipv4(address).sin_addr.s_addr;
  }
  return words;
}

in_port_t port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6 ? as_ipv6(address).sin6_port : as_ipv4(address).sin_port);
}

void append_end(std::string& out, const sockaddr_storage& address, std::size_t first_word) {
  constexpr int k_word_digits = 8;
  constexpr int k_port_digits = 4;
  const Words words = words_of(address);
  for (std::size_t i = first_word; i < words.size(); ++i) append_hex(out, words[i], k_word_digits);
  out.push_back(':');
  append_hex(out, port_of(address), k_port_digits);
}

std::string name_of(const Ends& ends, std::size_t first_word) {
  std::string name;
  append_end(name, ends.peer, first_word);
  name.push_back(' ');
  append_end(name, ends.own, first_word);
  return name;
}

std::string_view take_field(std::string_view& line) {
  const std::size_t begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos) return line = {};
  line.remove_prefix(begin);
  const std::string_view field = line.substr(0, line.find(' '));
  line.remove_prefix(field.size());
  return field;
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<ListedSocket> read_line(std::string_view line) {
  std::array<std::string_view, k_fields> fields;
  for (std::string_view& field : fields) field = take_field(line);
  ListedSocket socket;
  if (!read_number(fields[k_user], socket.user) || !read_number(fields[k_inode], socket.inode)) return std::nullopt;
  if (socket.inode == 0) return std::nullopt;
  const std::string_view own = fields[k_own_end];
  const std::string_view other = fields[k_other_end];
  if (other.data() != own.data() + own.size() + 1) return std::nullopt;  // they would not make one text
  socket.name = std::string_view(own.data(), own.size() + 1 + other.size());
  return socket;
}

}  // namespace

bool is_ipv4(const sockaddr_storage& address) {
  return address.ss_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&as_ipv6(address).sin6_addr);
}

std::optional<Ends> loopback_ends_of(int fd) {
  const auto peer = address_by(::getpeername, fd);
  if (!peer || !is_loopback(*peer)) return std::nullopt;
  const auto own = address_by(::getsockname, fd);
  if (!own || own->ss_family != peer->ss_family) return std::nullopt;
  return Ends{*peer, *own};
}

Names names_of(const Ends& ends) {
  constexpr std::size_t k_all_words = 0;
  constexpr std::size_t k_last_word = 3;
  return {is_ipv4(ends.peer) ? name_of(ends, k_last_word) : "", name_of(ends, k_all_words)};
}

std::optional<ListedSocket> SocketList::next() {
  while (!m_rest.empty()) {
    const std::string_view line = m_rest.substr(0, m_rest.find('\n'));
    m_rest.remove_prefix(std::min(line.size() + 1, m_rest.size()));
    if (auto socket = read_line(line)) return socket;
  }
  return std::nullopt;
}

}  // namespace nemo::origin
