// Owns: what the fake upstream saw and sent, call by call. All times are CLOCK_MONOTONIC in milliseconds, so another
// process on the same machine can subtract its own readings from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "tests/support/fake_upstream/ask.h"
#include "tests/support/fake_upstream/http_message.h"

namespace nemo::fake_upstream {

double monotonic_ms();

enum class CallState {
  open,
  completed,  // every byte of the answer was handed to the kernel
  cancelled,  // the client closed first
  cut,        // the script ended it early
  refused,    // an error status was sent, as the script says or because the request was wrong
};

struct Call {
  std::uint64_t seq = 0;
  std::string id;  // also the "id" of the answer
  std::string path;
  std::string model;
  bool stream = false;
  bool authorization_seen = false;
  Headers headers;  // keys are masked
  std::string body;
  std::size_t body_bytes = 0;
  CallState state = CallState::open;
  int status = 0;
  double started_ms = 0;     // the whole request was there
  double first_byte_ms = 0;  // the head was sent
  double ended_ms = 0;
  std::int64_t chunks_sent = 0;
  std::int64_t words_sent = 0;
  BilledUsage planned;  // what a whole answer bills
  // What was billed in fact: words that were sent count, whoever ended the call.
  BilledUsage billed() const;
};

// Bounded: the oldest calls leave the list, the sums keep them.
class Journal {
 public:
  // The call is listed at once. Its owner reports each change with the functions below.
  std::shared_ptr<Call> start(const Request& request);
  void end(Call& call, CallState state, double now_ms);
  void reset();

  Json list(std::size_t last) const;
  Json summary() const;
  std::uint64_t started() const { return m_started; }
  std::uint64_t ended() const { return m_ended; }
  std::uint64_t cancelled() const { return m_cancelled; }

 private:
  struct Totals {
    std::uint64_t calls = 0;
    BilledUsage billed;
  };

  std::deque<std::shared_ptr<Call>> m_calls;
  std::size_t m_body_bytes = 0;
  std::uint64_t m_next_seq = 1;
  std::uint64_t m_started = 0, m_ended = 0, m_cancelled = 0;
  std::uint64_t m_generation = 0;
  std::map<std::string, std::map<std::string, Totals>> m_totals;  // by model, then by state
};

}  // namespace nemo::fake_upstream
