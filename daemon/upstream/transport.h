// Owns: one HTTP exchange with an upstream, as the gateway sees it. Must not know: surfaces, prices, who called.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/clock.h"
#include "shared/result.h"
#include "shared/secret.h"

namespace nemo::upstream {

using Millis = std::chrono::milliseconds;

enum class HttpVersion : std::uint8_t { negotiate, http1, http2 };

struct Request {
  std::string method = "POST";
  std::string url;
  std::vector<std::string> headers;  // "name: value", secrets excluded
  Secret bearer;                     // empty: no Authorization header
  std::string key_header;  // "x-api-key": the header that takes `bearer`'s place; empty: Authorization: Bearer
  std::string body;
  HttpVersion version = HttpVersion::negotiate;
  bool raced = false;  // may be waited for together with another one (Transport::wait_first)
  std::string ca_file;
  Millis connect_timeout{5'000};
  Millis first_byte_timeout{120'000};  // sent -> first byte of the answer's body
  Millis idle_timeout{60'000};         // between two bytes of the body
};

struct Header {
  std::string name;  // lower case
  std::string value;
};

struct Head {
  int status = 0;
  std::vector<Header> headers;
  const std::string* find(std::string_view name) const;
};

enum class Wake : std::uint8_t {
  ready,        // what was waited for is there
  ended,        // upstream has ended, well or badly: see failure()
  client_gone,  // the client closed its connection
  not_yet,      // `until` has come first
};

// Ends an exchange from another thread than its worker's, which then sees it ended with that failure, whatever it waits
// for. Any thread, at any time: it may outlive the exchange, and what has ended already stays as it ended.
class Canceller {
 public:
  virtual ~Canceller() = default;
  virtual void cancel(const Error& why) = 0;
};

// A held thing: destroying it cancels what is still running upstream, within milliseconds. Owned by one worker thread.
class Exchange {
 public:
  virtual ~Exchange() = default;

  // Both wait for upstream and for the client's leaving at once; `client_fd` < 0: no client to watch.
  virtual Wake wait_head(int client_fd) = 0;
  virtual Wake wait_body(int client_fd, std::optional<SteadyTime> until = {}) = 0;

  virtual const Head& head() const = 0;      // after wait_head() said ready
  virtual bool take(std::string& into) = 0;  // appends the bytes that are there; false: none
  virtual std::shared_ptr<Canceller> canceller() = 0;
  // After ended: upstream_error or upstream_timeout, what it was cancelled with, or nothing when the answer is
  // complete.
  virtual std::optional<Error> failure() const = 0;
  virtual SteadyTime sent_at() const = 0;        // when the request was handed to the network
  virtual SteadyTime last_bytes_at() const = 0;  // when the newest bytes came
};

// Any thread.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::unique_ptr<Exchange> start(Request request) = 0;
  // Waits until one of two exchanges of this thread has bytes of its body (or has ended: its turn to be asked), for at
  // most `until`. Both were started with Request::raced.
  enum class Race : std::uint8_t { first, second, client_gone, not_yet };
  virtual Race wait_first(Exchange& first, Exchange& second, int client_fd, std::optional<SteadyTime> until) = 0;
  // Between two attempts. False: the client left first.
  virtual bool pause(int client_fd, Millis time) = 0;
  // Connections of now are not used for exchanges that start later: the machine has slept, or its network is another
  // one. Exchanges that run go on as they can.
  virtual void forget_connections() = 0;
};

}  // namespace nemo::upstream
