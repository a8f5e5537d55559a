// One completion while it runs: who else may have its answer, and who may end it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/completion/latest_wins.h"
#include "daemon/completion/memory.h"
#include "daemon/gateway/call_off.h"
#include "daemon/gateway/hub_completion.h"
#include "daemon/protocol/request_body.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/stream/sse_scanner.h"
#include "daemon/stream/translator.h"
#include "daemon/upstream/transport.h"
#include "shared/clock.h"

namespace nemo::gateway {

class Settlement;

// One worker thread, but for `off`. Upstream is asked in OpenAI's form whatever the client's is, so that the answer can
// be heard on its way.
struct Completing {
  const protocol::SurfaceForm& form;
  // As the client sent it; both hold until the answer has begun.
  const protocol::RequestBody& body;
  const call::CallSpec& spec;
  const Clock& clock;
  std::shared_ptr<const completion::Asked> asked = {};
  std::shared_ptr<CallOff> off = std::make_shared<CallOff>();
  std::shared_ptr<completion::Lead> lead = {};  // null: it has no call of its own (yet), or no more
  std::unique_ptr<completion::LatestWins::Place> place = {};
  std::shared_ptr<Settlement> settlement = {};  // of its call: is shown what is heard

  // The client has left. True: others read along, and the exchange goes on until the last of them has left too.
  bool stays_for_others(upstream::Exchange& exchange) const;
  // A whole answer in OpenAI's form.
  void hear_whole(std::string_view answer);
  void hear(std::string_view text);               // decoded
  void hear_end(std::string_view finish_reason);  // empty: upstream gave none
};

// `inner` makes OpenAI's completion events; what it makes is heard. When the call has been called off, finish() ends
// the stream as if the model had.
std::unique_ptr<stream::Translator> make_listening(std::unique_ptr<stream::Translator> inner,
                                                   std::shared_ptr<Completing> completing);

}  // namespace nemo::gateway
