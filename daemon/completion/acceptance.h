// Owns: whether a suggested completion was taken, wholly or in part: the seat's next prompts tell. Must not know:
// experiments, SQL. Keeps texts in memory only, for minutes.
//
// The rule. A suggestion A was shown at a place: the text before the cursor and behind it. A later prompt of the seat
// goes on from there if it has the same text and then t, 4 KiB at most (where a client cuts the beginning of its text,
// the same k_least_overlap bytes at least), and the same text behind the cursor, but for what an editor inserts. Then
//   - as much of A stands in the text as t and A have in common; if t goes on in another way than A, as many whole
//     lines of A. White space at both ends of A, at the beginning of t, and carriage returns are not looked at;
//   - it was taken there, rather than typed, if at least k_least_taken characters of A that no prompt had before came
//     at once, or all of A did. What is typed character by character was not taken. A was accepted up to the last place
//     that was reached so, and no further than it stands in the text;
//   - once all of A stands there (its end may stand behind the cursor, where the editor has closed a bracket) it is
//     judged. Else it is after five prompts of the seat that do not go along with it, or at the first prompt after two
//     minutes: accepted up to that place, dismissed if there is none.
// An answer that is the rest of a suggestion which waits for its verdict is the same suggestion, wherever it came from:
// it is not shown once more.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "shared/clock.h"
#include "shared/guarded.h"

namespace nemo::completion {

inline constexpr std::size_t k_least_taken = 3;  // characters; fewer come between two prompts of somebody who types

struct Verdict {
  std::string call_id;
  std::size_t accepted_bytes = 0;  // of those that suggested() gave; 0: dismissed
};

// What stands around a cursor, as far as it is looked at. Decoded text (UTF-8, no JSON escapes).
struct Around {
  Around(std::string_view prefix, std::string_view suffix);
  std::string before;    // the end of it, without carriage returns
  std::size_t size = 0;  // of all that stands before the cursor
  std::string behind;    // the beginning of it
};

// Any thread. Bounded: 1,024 seats, eight suggestions with their places, 8 KiB at most, for each; the oldest are
// forgotten without a verdict.
class Acceptance {
 public:
  // What a call has shown, once all of it is known. How many bytes of it will be judged; 0: it is blank, or the rest of
  // what was shown before.
  std::size_t suggested(const std::string& seat, const std::string& call_id, std::string_view text, Around around,
                        SteadyTime now);
  // It was not shown after all.
  void withdraw(const std::string& seat, const std::string& call_id);
  // The seat's next prompt: verdicts, oldest first, on what had been suggested before.
  std::vector<Verdict> observe(const std::string& seat, const Around& prompt, SteadyTime now);

 private:
  struct Suggestion {
    std::string call_id;
    std::string text;
    Around around;
    SteadyTime at;
    std::size_t reached = 0;   // the most of its bytes that stood in the text at any prompt
    std::size_t accepted = 0;  // the last place that was reached at once
    int prompts_without = 0;
  };
  using Suggestions = std::deque<Suggestion>;  // oldest first
  struct Seat {
    Suggestions pending;
    std::list<std::string>::iterator place;
  };
  struct State {
    std::map<std::string, Seat> seats;
    std::list<std::string> by_age;  // whose newest suggestion is the oldest comes first
  };

  enum class Progress : std::uint8_t { elsewhere, along, departed, whole };
  static Progress advance(Suggestion& suggestion, const Around& prompt);
  static bool is_rest_of(const Suggestion& shown, std::string_view text, const Around& around);
  static Seat& newest(State& state, const std::string& name);
  static void forget_oldest(Suggestions& pending);
  static void forget_if_empty(State& state, std::map<std::string, Seat>::iterator seat);
  Suggestions take(const std::string& seat);
  void put_back(const std::string& seat, Suggestions undecided);

  Guarded<State> m_state;
};

}  // namespace nemo::completion
