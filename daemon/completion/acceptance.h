// Owns: whether a suggested completion was taken: the editor's next prompt of the same key then contains it.
// Must not know: experiments, SQL. Keeps texts in memory only, for minutes.
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

struct Verdict {
  std::string call_id;
  bool accepted = false;
};

// Any thread. Bounded: 4,096 payers, eight suggestions of 4 KiB for each; the oldest are forgotten without a verdict.
// All texts are decoded (UTF-8, no JSON escapes).
class Acceptance {
 public:
  // `payer`: the key's id, or the seat. What the call suggested, once all of it is known, and the prompt that it
  // answered. One that cannot be judged gets no verdict: its beginning stood in that prompt already, or it is blank.
  void suggested(const std::string& payer, const std::string& call_id, std::string_view text, std::string_view prompt,
                 SteadyTime now);
  // The prompt of that key's next completion: verdicts, oldest first, on what had been suggested before. A suggestion
  // is accepted as soon as its beginning stands in a prompt: its first line that is not blank, without white space at
  // its ends, and the next such line too where the first has less than three characters. One that is not taken within
  // five prompts or two minutes is not.
  std::vector<Verdict> observe(const std::string& payer, std::string_view prompt, SteadyTime now);

 private:
  struct Suggestion {
    std::string call_id;
    std::string beginning;
    SteadyTime at;
    int prompts_without = 0;
  };
  using Suggestions = std::deque<Suggestion>;  // oldest first
  struct Payer {
    Suggestions pending;
    std::list<std::string>::iterator place;
  };
  struct State {
    std::map<std::string, Payer> payers;
    std::list<std::string> by_age;  // whose newest suggestion is the oldest comes first
  };

  static Payer& newest(State& state, const std::string& name);
  static void forget_oldest(Suggestions& pending);
  Suggestions take(const std::string& payer);
  void put_back(const std::string& payer, Suggestions undecided);

  Guarded<State> m_state;
};

}  // namespace nemo::completion
