#include "daemon/origin/socket_query.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace nemo::origin {
namespace {

struct Question {
  nlmsghdr head{};
  inet_diag_req_v2 body{};
};

struct Endpoint {
  std::array<std::uint32_t, 4> address{};  // IPv4: the first only
  in_port_t port = 0;
};

Endpoint endpoint_of(const sockaddr_storage& address, bool is_ipv4) {
  Endpoint end;
  if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    end.address[0] = four.sin_addr.s_addr;
    end.port = four.sin_port;
    return end;
  }
  const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
  std::memcpy(end.address.data(), six.sin6_addr.s6_addr, sizeof end.address);
  if (is_ipv4) end.address = {end.address[3], 0, 0, 0};  // it was mapped
  end.port = six.sin6_port;
  return end;
}

Question question_for(const Ends& ends) {
  const bool four = is_ipv4(ends.peer);
  Question question;
  question.head.nlmsg_len = sizeof question;
  question.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.head.nlmsg_flags = NLM_F_REQUEST;
  question.body.sdiag_family = four ? AF_INET : AF_INET6;
  question.body.sdiag_protocol = IPPROTO_TCP;
  question.body.idiag_states = ~0U;
  inet_diag_sockid& id = question.body.id;
  const Endpoint peer = endpoint_of(ends.peer, four);
  const Endpoint own = endpoint_of(ends.own, four);
  id.idiag_sport = peer.port;
  id.idiag_dport = own.port;
  std::memcpy(id.idiag_src, peer.address.data(), sizeof id.idiag_src);
  std::memcpy(id.idiag_dst, own.address.data(), sizeof id.idiag_dst);
  id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
  id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return question;
}

}  // namespace

SocketQuery::SocketQuery() : m_socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {}

// The kernel answers while it is asked, so that there is nothing to wait for.
std::optional<FoundSocket> SocketQuery::find(const Ends& ends) const {
  if (!m_socket.valid()) return std::nullopt;
  const Question question = question_for(ends);
  if (::send(m_socket.get(), &question, sizeof question, 0) != static_cast<ssize_t>(sizeof question)) {
    return std::nullopt;
  }
  alignas(nlmsghdr) std::array<char, 4096> answer{};
  const ssize_t size = ::recv(m_socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
  if (size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)))) return std::nullopt;
  nlmsghdr head{};
  std::memcpy(&head, answer.data(), sizeof head);
  inet_diag_msg found{};
  std::memcpy(&found, answer.data() + NLMSG_HDRLEN, sizeof found);
  const bool is_peer = head.nlmsg_type == SOCK_DIAG_BY_FAMILY && found.idiag_state != TCP_LISTEN &&
                       found.id.idiag_sport == question.body.id.idiag_sport &&
                       found.id.idiag_dport == question.body.id.idiag_dport;
  if (!is_peer || found.idiag_inode == 0) return std::nullopt;
  return FoundSocket{found.idiag_uid, found.idiag_inode};
}

}  // namespace nemo::origin
