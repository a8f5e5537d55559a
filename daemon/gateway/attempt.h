// One try at one deployment: what is sent there, and what it says up to the commit point.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/call/call_spec.h"
#include "daemon/gateway/answer.h"
#include "daemon/gateway/completing.h"
#include "daemon/gateway/live.h"
#include "daemon/gateway/purse.h"
#include "daemon/gateway/relay.h"
#include "daemon/gateway/settlement.h"
#include "daemon/gateway/wire.h"
#include "daemon/protocol/hub_conversation.h"
#include "daemon/protocol/request_body.h"
#include "daemon/routing/route.h"
#include "daemon/upstream/transport.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::gateway {

// What a call ends with whose client is not there any more.
Error client_left();

struct Asked {
  const Snapshot& world;
  const call::CallSpec& spec;
  const protocol::RequestBody& body;
  const protocol::HubRequest* hub;  // the body in its hub's form, where it has been told so already
  const Incoming& incoming;
  Purse& purse;
  const routing::Decision& decision;
  std::shared_ptr<Completing> completing;  // null: no other call has to do with it
};

// What the committed attempt gave: a whole body or a stream.
struct Answered {
  int status = 200;
  std::string content_type;
  std::string body;
  bool is_stream = false;  // the body is a whole stream
  std::unique_ptr<AnswerStream> relay;
  std::vector<upstream::Header> passed_headers;  // the service's own, such as guardrail notes
};

// Whose leaving ends the waiting: the client's, and once it has left a call that is drained, the daemon's end.
struct Watch {
  int fd;
  int stop_fd;
  bool client_left = false;

  // Whether upstream is read on for its usage although the client has left. No other candidate is tried then.
  bool goes_on_alone(bool drains) {
    if (!drains || client_left) return false;
    client_left = true;
    fd = stop_fd;
    return true;
  }
};

struct Outcome {
  std::optional<Answered> answered;
  std::optional<Error> error;
  bool may_go_on = false;                   // another candidate could do better
  bool may_return = true;                   // so could this one, later
  int head_status = 0;                      // of an answer that was refused; 0: no head came
  std::optional<routing::Trouble> trouble;  // what it says of the deployment; absent: nothing
};

// One worker thread. What it was made from outlives it.
class Attempt {
 public:
  Attempt(const Asked& asked, const routing::Decision::Choice& choice, Watch& watch,
          std::shared_ptr<Settlement> settlement, const Clock& clock);

  enum class Alone : std::uint8_t { yes, raced };
  // Sends the request. An outcome: it could not even be sent.
  std::optional<Outcome> start(upstream::Transport& transport, std::optional<std::int64_t> output_cap, Alone alone);
  // Waits and reads until the answer is committed to, or has failed. `hold`: whether another candidate could still
  // answer in its place.
  Outcome read(upstream::Transport& transport, Hold hold);

  upstream::Exchange& exchange() { return *m_exchange; }
  const routing::Decision::Choice& choice() const { return m_choice; }
  // The attempt as the ledger tells of it, once it has come to its outcome.
  call::Attempt tell(const Outcome& outcome) const;
  // It lost a race: cancelled, and charged for what it was given to read. That it took so long already is learned.
  call::Attempt lose();

 private:
  Outcome read_answer();
  Outcome read_stream(Answered answered, Hold hold);
  Outcome read_whole(Answered answered);
  Outcome read_refusal(upstream::Transport& transport, int status, Hold hold);
  std::optional<Error> collect(std::string& body);
  Outcome conclude(Outcome outcome);
  void begin_in_flight();
  Outcome broken(Error error) const;
  bool drains() const { return m_choice.deployment->drain_on_disconnect; }
  bool goes_on_alone();
  Result<std::string> tell_whole(const std::string& hub_answer) const;
  Result<Secret> token() const;

  const Asked& m_asked;
  const routing::Decision::Choice& m_choice;
  Watch& m_watch;
  std::shared_ptr<Settlement> m_settlement;
  const Clock& m_clock;
  SteadyTime m_started;
  std::optional<std::int64_t> m_output_cap;
  std::unique_ptr<protocol::Conversation> m_conversation;
  Secret m_token;
  bool m_renewed = false;
  std::string m_note;
  std::unique_ptr<upstream::Exchange> m_exchange;
  routing::InFlight m_in_flight;
};

}  // namespace nemo::gateway
