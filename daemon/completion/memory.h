// Owns: what completions were answered lately, and which request is a piece of such an answer. (The folder: what only a
// daemon beside the editor can know.) Must not know: JSON, sockets, files, what a call costs.
//
// The rule. A request N is served from an earlier request O of the same seat and the same terms whose answer is A, if
//   1. N's prefix is O's prefix and then t, where t is the beginning of A. It may be empty if N says what stands behind
//      its cursor (so it is an editor's) and wants no chance: else an equal request gets an answer of its own;
//      clients cut the beginning of a prefix: without t, one of the two prefixes may be the end of the other, if it is
//      at least k_least_overlap bytes long. If more than one t fits because the text repeats itself, none does, unless
//      the prefixes are equal without being cut;
//   2. something of A is left beyond t;
//   3. N's suffix is O's; clients cut its end: one may be the beginning of the other, if it is at least
//      k_least_suffix_overlap bytes long;
//      or, once A has ended by itself, N's suffix is c and then O's suffix, where c (at most k_longest_insertion bytes)
//      is the end of what is left of A, and something is left before it: the editor has closed a bracket. It gets A
//      without t and c, so that the text becomes what it would have become;
//   4. A has ended, by itself or by its length, no longer ago than it may be remembered. An answer that still comes is
//      read along if t agrees with what there is of it.
// Of several that fit the one with uncut prefixes counts, then the newest. Answers that are empty, broken off or longer
// than k_longest_answer are not kept. Requests that may not share answers neither give nor take any.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "daemon/completion/asked.h"
#include "daemon/completion/memory_store.h"
#include "daemon/completion/running_answer.h"
#include "daemon/completion/seat_memory.h"
#include "shared/clock.h"
#include "shared/guarded.h"

namespace nemo::completion {

class Memory;

// The call that an answer comes from. Told by one thread; others may ask whether it is followed. Going before its end,
// it breaks the answer off.
class Lead {
 public:
  Lead(Memory* memory, std::shared_ptr<const Asked> asked);  // null: nobody is told but those who hold the answer
  ~Lead();
  Lead(const Lead&) = delete;
  Lead& operator=(const Lead&) = delete;

  enum class Keep : std::uint8_t { yes, no };
  void append(std::string_view text);
  void end(Ending ending, WallTime now, Keep keep = Keep::yes);
  const std::shared_ptr<RunningAnswer>& answer() const { return m_answer; }

 private:
  void leave();

  Memory* m_memory;
  std::shared_ptr<const Asked> m_asked;
  std::shared_ptr<RunningAnswer> m_answer = std::make_shared<RunningAnswer>();
  std::size_t m_length = 0;
  bool m_over = false;
};

// Any thread. Bounded: k_most_seats seats, each with k_most_kept answers and k_most_bytes of text.
class Memory {
 public:
  static constexpr std::size_t k_most_seats = 64;  // of the people behind one daemon; 8 MiB each at most
  // `store` outlives it; null: nothing outlives the process.
  explicit Memory(MemoryStore* store = nullptr) : m_store(store) {}

  // The end of an earlier answer.
  struct Rest {
    std::string text;
    Ending ending = Ending::by_itself;
    std::string model;
  };
  using Found = std::variant<std::monostate, Rest, Following>;
  using Joined = std::variant<Rest, Following, std::shared_ptr<Lead>>;

  // `oldest`: what ended before then is forgotten. The bell is for reading along.
  Found find(const Asked& asked, WallTime oldest, Bell& bell);
  // The same; where nothing is found the request leads, and others may follow it from now on. One step: of several
  // equal requests at once one leads.
  Joined join(const std::shared_ptr<const Asked>& asked, WallTime oldest, Bell& bell);

  // What a store had kept.
  void recall(Remembered remembered);
  void clear();

 private:
  friend class Lead;
  using Seats = std::map<std::string, SeatMemory>;
  struct State {
    Seats seats;
    std::list<std::string> by_age;  // whose newest answer is the oldest comes first
  };
  static Found look(State& state, const Asked& asked, WallTime oldest, Bell& bell);
  static SeatMemory& seat(State& state, const std::string& name);
  void keep(std::shared_ptr<const Remembered> remembered, const RunningAnswer* running);
  void forget(const Asked& asked, const RunningAnswer* running);

  MemoryStore* m_store;
  Guarded<State> m_state;
};

}  // namespace nemo::completion
