// What completions suggest, and what becomes of it, for the ledger.
// Must not know: routes, upstreams, how an answer is told.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "daemon/completion/acceptance.h"
#include "daemon/gateway/settlement.h"
#include "daemon/ledger/request_log.h"
#include "shared/clock.h"
#include "shared/guarded.h"

namespace nemo::gateway {

// Any thread. Outlives the watches that it makes.
class Suggestions {
 public:
  Suggestions(ledger::RequestLog& log, const Clock& clock) : m_log(log), m_clock(clock) {}

  // The seat's next prompt: the ledger is told what was taken of those before.
  void observe(const std::string& seat, const completion::Around& prompt);
  // For the call of that prompt: what it says is suggested just before its last bytes go out, so that a prompt which
  // answers to them finds it; and taken back if they did not arrive.
  std::unique_ptr<EndWatch> watch(std::string seat, completion::Around prompt);

 private:
  class Watch;
  void suggest(const std::string& seat, const completion::Around& prompt, Settlement& settlement);
  void ended(const std::string& seat, const std::string& call_id, EndWatch::Received received);
  void mark(const completion::Verdict& verdict);

  ledger::RequestLog& m_log;
  const Clock& m_clock;
  completion::Acceptance m_acceptance;
  // Calls that have suggested something and have no row yet, with the verdict that waits for it. As many as there are
  // calls whose last bytes are being sent.
  Guarded<std::map<std::string, std::optional<std::int64_t>>> m_unwritten;
};

}  // namespace nemo::gateway
