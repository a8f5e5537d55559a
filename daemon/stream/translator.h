// Port: turns the events of one dialect into another's. Implemented in protocol/translate/.
#pragma once

#include <string>

#include "daemon/stream/sse_scanner.h"

namespace nemo::stream {

class Translator {
 public:
  virtual ~Translator() = default;
  virtual void translate(const SseEvent& event, std::string& out) = 0;  // appends zero or more events
  virtual void finish(std::string& out) = 0;                            // after the last event
};

}  // namespace nemo::stream
