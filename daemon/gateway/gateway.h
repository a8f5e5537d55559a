// Owns: the story of one call, from a request's bytes to an answer (architecture, section 1).
// Must not know: HTTP framing, sockets beyond the one it watches, SQL, which transport it has.
#pragma once

#include <memory>
#include <string>

#include "daemon/access/key_book.h"
#include "daemon/budget/book.h"
#include "daemon/budget/estimate.h"
#include "daemon/gateway/answer.h"
#include "daemon/gateway/attempts.h"
#include "daemon/gateway/completion_desk.h"
#include "daemon/gateway/live.h"
#include "daemon/gateway/settlement.h"
#include "daemon/gateway/suggestions.h"
#include "daemon/ledger/request_log.h"
#include "daemon/limits/limiter.h"
#include "daemon/protocol/request_body.h"
#include "daemon/routing/route.h"
#include "daemon/upstream/transport.h"

namespace nemo::gateway {

// What says who may call, and how much. All of it outlives the gateway.
struct Terms {
  const access::KeyBook& keys;
  budget::Book& budgets;
  budget::Density& density;
  limits::Limiter& limiter;
};

// Any number of worker threads.
class Gateway {
 public:
  // `remembered`: where answered completions outlive the process; null: nowhere.
  Gateway(const Live& live, Terms terms, upstream::Transport& transport, ledger::RequestLog& log, const Clock& clock,
          completion::MemoryStore* remembered = nullptr);

  // Blocks until the answer's status is known. Every outcome is an Answer: errors are in the surface's own shape.
  Answer answer(Incoming incoming);

  completion::Memory& memory() { return m_desk.memory(); }

 private:
  struct Call;  // what is known of a call once its body has been read
  Answer serve(Incoming& incoming, Call& call);
  Result<Answered> route(Call& call);
  Result<Answered> admit(Call& call, const routing::Decision& decision);
  Result<Answered> ask(const Call& call, const routing::Decision& decision);
  Result<Answered> complete(Call& call, const routing::Decision& decision);
  Result<Answered> attempt(const Call& call, const call::CallSpec& spec, const routing::Decision& decision);
  Result<Answered> attempt_fallback(const Call& call, const routing::Decision& decision, const Error& refusal);
  routing::Circumstances circumstances_of(const Call& call) const;
  void judge_suggestions(const Call& call, const routing::Decision& decision);
  void add_standing(Answer& answer, const call::Principal& principal) const;

  const Live& m_live;
  Terms m_terms;
  upstream::Transport& m_transport;
  ledger::RequestLog& m_log;
  const Clock& m_clock;
  Suggestions m_suggestions;
  CompletionDesk m_desk;
};

// An error as a whole answer in the surface's shape.
Answer error_answer(const Error& error, call::Surface surface = call::Surface::openai_chat);

// "OpenAI/JS", "curl", …: who sent it, from a user-agent, without its version.
std::string client_name(std::string_view user_agent);

}  // namespace nemo::gateway
