// Owns: how the peer of a loopback connection becomes a process of this user, and that process a project and a branch.
// Must not know: HTTP, calls, who wants to know.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/call/origin.h"
#include "daemon/origin/process_table.h"
#include "daemon/origin/socket_list.h"

namespace nemo::origin {

// Looks on a thread of its own, which works at most a quarter of the time. Another user's process, one in a container
// and one that has ended are not found; neither is any where there is no /proc.
class PeerOrigins final : public call::OriginFinder {
 public:
  explicit PeerOrigins(std::filesystem::path proc = "/proc");
  ~PeerOrigins() override;

  void find(int client_fd, std::shared_ptr<call::OriginSlot> slot) override;
  std::uint64_t dropped() const;  // connections that came while too many waited

 private:
  struct Wanted {
    Ends ends;
    std::shared_ptr<call::OriginSlot> slot;
  };

  void run();
  std::vector<Wanted> wait_for_some();
  bool rest(std::chrono::nanoseconds time);  // false: it is over
  void look_up(const std::vector<Wanted>& wanted);
  std::vector<std::uint64_t> find_inodes(const std::vector<Wanted>& wanted) const;
  void read_lists(const std::vector<Wanted>& wanted, std::vector<std::uint64_t>& inodes) const;

  std::filesystem::path m_proc;
  ProcessTable m_processes;  // of the thread

  mutable std::mutex m_mutex;
  std::condition_variable m_wake;
  std::vector<Wanted> m_waiting;
  std::uint64_t m_dropped = 0;
  bool m_stop = false;
  std::thread m_thread;
};

// What is known of a process as what the ledger keeps.
call::Origin origin_of(const Process& process);

}  // namespace nemo::origin
