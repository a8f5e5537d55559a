// The answers of one seat, found by the end of their prompts. Internal to completion/.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/completion/asked.h"
#include "daemon/completion/memory_store.h"
#include "daemon/completion/running_answer.h"
#include "shared/clock.h"

namespace nemo::completion {

inline constexpr std::size_t k_most_kept = 1'024;                         // ten minutes of fast typing
inline constexpr std::size_t k_most_bytes = std::size_t{8} << 20U;        // of prompts and answers
inline constexpr std::size_t k_longest_answer = std::size_t{8} << 10U;    // some two hundred lines
inline constexpr std::size_t k_longest_prompt = std::size_t{512} << 10U;  // a larger one is not remembered
inline constexpr std::size_t k_most_running = 64;                         // of one person, at once
inline constexpr std::size_t k_longest_typed_ahead = 64;                  // of an answer that has not come so far yet

// Not thread-safe.
class SeatMemory {
 public:
  SeatMemory();

  struct Match {
    std::shared_ptr<const Remembered> kept;
    std::size_t typed = 0;     // bytes of the answer that the prompt has by now
    std::size_t inserted = 0;  // bytes of its end that stand behind the cursor
  };
  std::optional<Match> find(const Asked& asked, WallTime oldest) const;

  struct RunningMatch {
    std::shared_ptr<RunningAnswer> answer;
    std::string typed;
  };
  std::optional<RunningMatch> find_running(const Asked& asked) const;

  // Takes the place of an answer to the same question.
  void keep(std::shared_ptr<const Remembered> remembered);
  void forget_before(WallTime oldest);
  void begin(std::shared_ptr<const Asked> asked, std::shared_ptr<RunningAnswer> answer);
  void end(const RunningAnswer* answer);
  bool empty() const { return m_kept.empty() && m_running.empty(); }

 private:
  // A prompt's last bytes, hashed. Prompts shorter than that are looked through one by one.
  static constexpr std::size_t k_anchor = 32;
  static constexpr std::size_t k_filter_size = std::size_t{1} << 14U;
  static constexpr std::size_t k_most_looked_at = 4'096;  // candidates of one search: a text may repeat itself

  struct Entry {
    std::shared_ptr<const Remembered> kept;
    std::uint64_t anchor = 0;
    std::uint64_t number = 0;  // grows
  };
  using Entries = std::list<Entry>;  // oldest first
  struct Running {
    std::shared_ptr<const Asked> asked;
    std::shared_ptr<RunningAnswer> answer;
  };
  class Search;

  void erase(Entries::iterator entry);
  std::optional<Entries::iterator> find_same(const Asked& asked);

  Entries m_kept;
  std::unordered_multimap<std::uint64_t, Entries::iterator> m_by_anchor;
  std::vector<std::uint16_t> m_filter;     // by the anchor's low bits: how many entries; most places have none
  std::vector<Entries::iterator> m_short;  // whose prompt is shorter than an anchor
  std::vector<Running> m_running;          // oldest first
  std::size_t m_bytes = 0;
  std::size_t m_longest_answer = 0;  // that was ever kept
  std::uint64_t m_last_number = 0;
};

}  // namespace nemo::completion
