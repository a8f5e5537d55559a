// Serves completions from what is known already: the rest of an earlier answer, or one that is on its way to somebody
// else. Decides which of an editor's requests are asked at all. The rules are completion/'s.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "daemon/call/principal.h"
#include "daemon/completion/latest_wins.h"
#include "daemon/completion/memory.h"
#include "daemon/gateway/answer.h"
#include "daemon/gateway/attempt.h"
#include "daemon/gateway/completing.h"
#include "daemon/gateway/live.h"
#include "daemon/gateway/settlement.h"
#include "daemon/routing/route.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::gateway {

// Any number of worker threads.
class CompletionDesk {
 public:
  // Both outlive it; a null store: nothing outlives the process.
  CompletionDesk(completion::MemoryStore* store, const Clock& clock) : m_memory(store), m_clock(clock) {}

  // A completion that has been let in and whose route is decided.
  struct Request {
    const Snapshot& world;
    const Incoming& incoming;
    const protocol::RequestBody& body;  // as the client sent it
    const call::CallSpec& spec;
    const protocol::RequestBody& hub_body;  // in OpenAI's form; the same one, where it came so
    const call::CallSpec& hub_spec;
    const routing::Decision& decision;
    const call::Principal& principal;
    std::shared_ptr<Settlement> settlement;
  };
  // Makes the call; with null it is nobody's business but its own.
  using Ask = std::function<Result<Answered>(const std::shared_ptr<Completing>&)>;

  // superseded: a newer request has taken its place, and nothing was sent. Else what `ask` may give.
  Result<Answered> answer(const Request& request, const Ask& ask);

  // What a client gets whose request was superseded: an answer without text.
  static Result<Answered> empty_answer(const Request& request);

  completion::Memory& memory() { return m_memory; }

 private:
  Result<Answered> settle(const Request& request, const std::shared_ptr<Completing>& completing, WallTime oldest,
                          std::chrono::milliseconds time, const Ask& ask);
  Result<Answered> join(const Request& request, const std::shared_ptr<Completing>& completing, WallTime oldest,
                        const Ask& ask);
  // nullopt: what was found is of no use after all.
  std::optional<Result<Answered>> use(const Request& request, const std::shared_ptr<Completing>& completing,
                                      completion::Memory::Found found) const;
  std::optional<Result<Answered>> serve(const Request& request, const completion::Memory::Rest& rest) const;
  std::optional<Result<Answered>> follow(const Request& request, const std::shared_ptr<Completing>& completing,
                                         completion::Following following) const;

  completion::Memory m_memory;
  completion::LatestWins m_latest;
  const Clock& m_clock;
};

}  // namespace nemo::gateway
