// Tries the candidates of a decision in order until one answers. The commit point lies here: after the first good head
// (for a stream: the first content) there is no other attempt.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/call/call_spec.h"
#include "daemon/gateway/answer.h"
#include "daemon/gateway/live.h"
#include "daemon/gateway/purse.h"
#include "daemon/gateway/relay.h"
#include "daemon/gateway/settlement.h"
#include "daemon/protocol/request_body.h"
#include "daemon/routing/route.h"
#include "daemon/upstream/transport.h"
#include "shared/result.h"

namespace nemo::gateway {

struct Asked {
  const Snapshot& world;
  const call::CallSpec& spec;
  const protocol::RequestBody& body;
  Purse& purse;
  const routing::Decision& decision;
  int client_fd;
  int stop_fd;
  SteadyTime received_at;
};

// What the committed attempt gave: a whole body or a stream.
struct Answered {
  int status = 200;
  std::string content_type;
  std::string body;
  std::unique_ptr<Relay> relay;
  std::vector<upstream::Header> passed_headers;  // the service's own, such as guardrail notes
};

class Attempts {
 public:
  Attempts(upstream::Transport& transport, std::shared_ptr<Settlement> settlement, const Asked& asked);

  // client_gone; upstream_rejected (a 4xx as it came); upstream_error, upstream_timeout after the last attempt;
  // budget_exceeded when not even the first can be paid for (a dearer one ends the chain with the error before it).
  Result<Answered> run();

 private:
  struct Outcome {
    std::optional<Answered> answered;
    std::optional<Error> error;
    bool may_go_on = false;  // another candidate could do better
    int head_status = 0;     // of an answer that was refused; 0: no head came
  };

  Outcome try_one(const routing::Decision::Choice& choice, std::optional<std::int64_t> output_cap);
  Result<upstream::Request> make_request(const routing::Decision::Choice& choice, bool through_chat,
                                         std::optional<std::int64_t> output_cap) const;
  Outcome read_answer(std::unique_ptr<upstream::Exchange> exchange, const routing::Decision::Choice& choice,
                      bool through_chat);
  Outcome read_stream(std::unique_ptr<upstream::Exchange> exchange, Answered answered,
                      const routing::Decision::Choice& choice, bool through_chat);
  Outcome read_whole(std::unique_ptr<upstream::Exchange> exchange, Answered answered, bool through_chat);
  Outcome read_refusal(std::unique_ptr<upstream::Exchange> exchange, int status);
  std::optional<Error> collect(upstream::Exchange& exchange, std::string& body);
  bool goes_on_alone();
  bool goes_through_chat(const routing::Decision::Choice& choice) const;

  upstream::Transport& m_transport;
  std::shared_ptr<Settlement> m_settlement;
  const Asked& m_asked;
  int m_watched_fd;  // the client's, and once it has left a call that is drained, the one that tells of the daemon's
                     // end
  bool m_client_left = false;
  bool m_drains = false;   // so says the deployment that is tried
  bool m_is_last = false;  // no other candidate is left after the one that is tried
};

}  // namespace nemo::gateway
