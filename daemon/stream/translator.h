// Port: turns the events of one dialect into another's. Implemented in protocol/.
#pragma once

#include <string>

#include "daemon/call/usage.h"
#include "daemon/stream/sse_scanner.h"
#include "shared/result.h"

namespace nemo::stream {

// One stream, one thread. Outlives the request that it was made for: it keeps copies of what it needs. Everything is
// appended to `out`. After finish(), end_early(), break_off() or complain() nothing more is asked of it.
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
  // Whether the client has its whole answer by now, so that nothing of what upstream would still write goes out.
  virtual bool is_satisfied() const { return false; }
  // finish() for an upstream that is cut off because of that. `usage`: as far as it is known; null: the client's stream
  // does not state it.
  virtual void end_early(const call::Usage* /*usage*/, std::string& out) { finish(out); }
  // Whether events go out as they came, those included that nobody can read.
  virtual bool passes_bytes() const { return false; }
};

}  // namespace nemo::stream
