// What the HTTP edge hands in and what it gets back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/call/origin.h"
#include "daemon/call/surface.h"
#include "daemon/protocol/surface_form.h"
#include "shared/clock.h"
#include "shared/secret.h"

namespace nemo::gateway {

struct Incoming {
  call::Surface surface = call::Surface::openai_chat;
  protocol::PathWords path;
  std::string body;
  Secret key;  // as presented; empty: none
  std::string user_agent;
  std::vector<std::string> dialect_headers;  // "anthropic-beta: …": for an upstream of the same dialect
  int client_fd = -1;                        // watched while upstream is silent
  int stop_fd = -1;  // watched in its place once it has left: its far end is closed when the daemon stops
  std::shared_ptr<const call::OriginSlot> origin;  // whose work it is; null: nobody asked
  SteadyTime received_at;                          // the request's head had been read
  WallTime at;
};

enum class Delivery : std::uint8_t { complete, client_gone };

// The end of a call: exactly once it is told how delivery went, and writes the ledger row.
class Settlement;

// The rest of an answer whose first part is already decided. One worker thread.
class AnswerStream {
 public:
  enum class Step : std::uint8_t { more, end, client_gone };
  virtual ~AnswerStream() = default;
  // Waits for upstream and appends what can be sent now.
  virtual Step next(std::string& out, int client_fd) = 0;
  // The client left: cancels upstream, or reads it to its end where the deployment says so.
  virtual void client_left() = 0;
};

struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string content_type = "application/json";
  std::string body;  // all of it, unless there is a stream
  std::unique_ptr<AnswerStream> stream;
  std::shared_ptr<Settlement> settlement;  // null: not a call (model list, health)
  bool client_gone = false;                // nobody is left to answer
};

}  // namespace nemo::gateway
