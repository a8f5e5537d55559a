// Owns: whether a suggested completion was taken: the editor's next prompt of the same key then contains it.
// Must not know: experiments, SQL. Keeps texts in memory only, for minutes.
#pragma once

#include <cstddef>
#include <deque>
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

// Any thread. Bounded: some suggestions for each key, some kilobytes for each suggestion.
class Acceptance {
 public:
  // `payer`: the key's id, or the seat. What the call suggested, once all of it is known.
  void suggested(const std::string& payer, const std::string& call_id, std::string_view text, SteadyTime now);
  // The prompt of that key's next completion: verdicts on what had been suggested before and is old enough to tell.
  // A suggestion is accepted when its beginning (its first line, without white space at its ends) stands in the prompt
  // and did not stand there when it was suggested; one that is not taken within some prompts or minutes is not.
  std::vector<Verdict> observe(const std::string& payer, std::string_view prompt, SteadyTime now);

 private:
  // (the implementer's)
};

}  // namespace nemo::completion
