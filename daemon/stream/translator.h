// Port: turns the events of one dialect into another's. Implemented in protocol/.
#pragma once

#include <string>

#include "daemon/stream/sse_scanner.h"
#include "shared/result.h"

namespace nemo::stream {

// One stream, one thread. Outlives the request that it was made for: it keeps copies of what it needs. Everything is
// appended to `out`. After finish(), break_off() or complain() nothing more is asked of it.
class Translator {
 public:
  virtual ~Translator() = default;
  virtual void translate(const SseEvent& event, std::string& out) = 0;  // zero or more events
  // Upstream's stream is complete: what the client's dialect still lacks (text that was held back, the last event).
  virtual void finish(std::string& out) = 0;
  // The stream ends here, broken: what was held back, then the error as the client's dialect tells it.
  virtual void break_off(const Error& error, std::string& out) = 0;
  // Upstream itself broke off, by that event; `error` is what it says, redacted.
  virtual void complain(const SseEvent& /*event*/, const Error& error, std::string& out) { break_off(error, out); }
};

}  // namespace nemo::stream
