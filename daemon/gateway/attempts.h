// Tries the candidates of a decision until one answers. The commit point lies here: after the first good head (for a
// stream: the first content) there is no other attempt.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "daemon/gateway/attempt.h"

namespace nemo::gateway {

class Attempts {
 public:
  Attempts(upstream::Transport& transport, std::shared_ptr<Settlement> settlement, const Asked& asked,
           const Clock& clock);

  // client_gone; upstream_rejected (a 4xx as it came); upstream_error, upstream_timeout after the last attempt;
  // budget_exceeded when not even the first can be paid for (a dearer one ends the chain with the error before it).
  Result<Answered> run();

 private:
  struct Tried {
    int times = 0;
    bool barred = false;  // not to be tried again
    std::optional<std::chrono::seconds> retry_after;
  };

  std::optional<std::size_t> next();
  std::optional<std::size_t> spare(std::size_t beside) const;
  enum class Waited : std::uint8_t { enough, client_left, not_worth_it };
  Waited wait_for_round(const Tried& tried);
  Outcome go(std::size_t index, std::optional<std::int64_t> output_cap);
  Outcome race(Attempt& first, Attempt& second);
  std::optional<std::chrono::milliseconds> hedge_after(std::size_t index) const;
  Outcome take(Attempt& attempt, Hold hold);
  void note(const Attempt& attempt, const Outcome& outcome);
  void use(const routing::Decision::Choice& choice);

  upstream::Transport& m_transport;
  std::shared_ptr<Settlement> m_settlement;
  const Asked& m_asked;
  const Clock& m_clock;
  Watch m_watch;
  std::vector<Tried> m_tried;  // by choice
  std::size_t m_begun = 0;
};

}  // namespace nemo::gateway
