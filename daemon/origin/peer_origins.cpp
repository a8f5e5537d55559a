#include "daemon/origin/peer_origins.h"

#include <unistd.h>

#include <chrono>
#include <exception>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "daemon/origin/small_file.h"
#include "daemon/origin/socket_query.h"
#include "daemon/origin/work_tree.h"
#include "shared/json_escape.h"
#include "shared/log.h"
#include "shared/thread_name.h"

namespace nemo::origin {
namespace {

// Many windows that connect at once. What comes on top has no origin: its row is worth more than its project.
constexpr std::size_t k_most_waiting = 256;
// After a search the thread rests so many times as long as it took.
constexpr int k_rest_factor = 3;
// Longer texts are no project that anybody knows by its path; the journal cuts there too.
constexpr std::size_t k_longest_text = 1'024;

// Paths are any bytes; the ledger's texts are UTF-8.
std::string readable(const std::string& text) {
  if (text.size() > k_longest_text) return {};
  std::string clean;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const bool is_control = length == 1 && (static_cast<unsigned char>(text[at]) < 0x20U || text[at] == '\x7f');
    if (length == 0 || is_control) {
      clean.push_back('?');
    } else {
      clean.append(text, at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return clean;
}

// In place of an inode, none of which is so small or so large.
constexpr std::uint64_t k_nobodys = 0;
constexpr std::uint64_t k_unknown = ~std::uint64_t{0};

using Inodes = std::unordered_map<std::string, std::uint64_t>;  // by a socket's name

// Those of `names` that are this user's, from one list.
void read_inodes(const std::filesystem::path& list, const std::unordered_set<std::string>& names, Inodes& inodes) {
  if (names.empty()) return;
  const auto text = read_small_file(list, k_largest_list_bytes);
  if (!text) return;
  SocketList sockets(*text);
  while (const auto socket = sockets.next()) {
    if (socket->user != ::geteuid()) continue;
    if (const auto name = names.find(std::string(socket->name)); name != names.end()) {
      inodes.emplace(*name, socket->inode);
    }
  }
}

}  // namespace

call::Origin origin_of(const Process& process) {
  call::Origin origin;
  origin.process = readable(process.name);
  if (process.folder.empty()) return origin;
  const auto tree = find_work_tree(process.folder);
  if (!tree) return origin;
  origin.project = readable(tree->root.string());
  origin.branch = readable(tree->branch);
  return origin;
}

PeerOrigins::PeerOrigins(std::filesystem::path proc) : m_proc(proc), m_processes(std::move(proc)) {
  m_thread = std::thread([this] { run(); });
}

PeerOrigins::~PeerOrigins() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_wake.notify_one();
  m_thread.join();
}

void PeerOrigins::find(int client_fd, std::shared_ptr<call::OriginSlot> slot) {
  const auto ends = loopback_ends_of(client_fd);
  if (!ends) return;
  {
    const std::lock_guard lock(m_mutex);
    if (m_waiting.size() >= k_most_waiting) {
      ++m_dropped;
      return;
    }
    m_waiting.push_back({*ends, std::move(slot)});
  }
  m_wake.notify_one();
}

std::uint64_t PeerOrigins::dropped() const {
  const std::lock_guard lock(m_mutex);
  return m_dropped;
}

// None: it is over.
std::vector<PeerOrigins::Wanted> PeerOrigins::wait_for_some() {
  std::unique_lock lock(m_mutex);
  m_wake.wait(lock, [this] { return m_stop || !m_waiting.empty(); });
  return m_stop ? std::vector<Wanted>() : std::exchange(m_waiting, {});
}

bool PeerOrigins::rest(std::chrono::nanoseconds time) {
  std::unique_lock lock(m_mutex);
  return !m_wake.wait_for(lock, time, [this] { return m_stop; });
}

void PeerOrigins::run() {
  name_this_thread("nemo-origin");
  std::uint64_t dropped_before = 0;
  for (;;) {
    const std::vector<Wanted> wanted = wait_for_some();
    if (wanted.empty()) return;
    const auto began = std::chrono::steady_clock::now();
    try {
      look_up(wanted);
    } catch (const std::exception& trouble) {
      log::warn(std::string("whose work a call is could not be found: ") + trouble.what());
    }
    if (const std::uint64_t now = dropped(); now != std::exchange(dropped_before, now)) {
      log::debug("whose work: " + std::to_string(now) + " connections so far came too fast to be looked at");
    }
    if (!rest(k_rest_factor * (std::chrono::steady_clock::now() - began))) return;
  }
}

// From the lists, for those of `wanted` that have none yet.
void PeerOrigins::read_lists(const std::vector<Wanted>& wanted, std::vector<std::uint64_t>& inodes) const {
  std::unordered_set<std::string> in_tcp;
  std::unordered_set<std::string> in_tcp6;
  std::vector<Names> names(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (inodes[i] != k_unknown) continue;
    names[i] = names_of(wanted[i].ends);
    if (!names[i].in_tcp.empty()) in_tcp.insert(names[i].in_tcp);
    in_tcp6.insert(names[i].in_tcp6);
  }
  if (in_tcp6.empty()) return;
  Inodes listed;
  read_inodes(m_proc / "net" / "tcp", in_tcp, listed);
  read_inodes(m_proc / "net" / "tcp6", in_tcp6, listed);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (inodes[i] != k_unknown) continue;
    auto found = listed.find(names[i].in_tcp);
    if (found == listed.end()) found = listed.find(names[i].in_tcp6);
    inodes[i] = found == listed.end() ? k_nobodys : found->second;
  }
}

// Of this user's sockets only.
std::vector<std::uint64_t> PeerOrigins::find_inodes(const std::vector<Wanted>& wanted) const {
  const SocketQuery kernel;
  std::vector<std::uint64_t> inodes(wanted.size(), k_unknown);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].slot.use_count() == 1) {  // nobody waits for it any more
      inodes[i] = k_nobodys;
    } else if (const auto socket = kernel.find(wanted[i].ends)) {
      inodes[i] = socket->user == ::geteuid() ? socket->inode : k_nobodys;
    }
  }
  read_lists(wanted, inodes);
  return inodes;
}

void PeerOrigins::look_up(const std::vector<Wanted>& wanted) {
  const std::vector<std::uint64_t> inodes = find_inodes(wanted);
  std::unordered_set<std::uint64_t> sockets(inodes.begin(), inodes.end());
  sockets.erase(k_nobodys);
  const auto owners = m_processes.find_owners(std::move(sockets));
  std::unordered_map<pid_t, call::Origin> origins;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto owner = owners.find(inodes[i]);
    if (owner == owners.end()) continue;
    const auto [origin, is_new] = origins.try_emplace(owner->second);
    if (is_new) {
      if (const auto process = m_processes.find(owner->second)) origin->second = origin_of(*process);
    }
    if (origin->second != call::Origin{}) wanted[i].slot->set(origin->second);
  }
}

}  // namespace nemo::origin
