// One transfer's state, shared by the worker that waits for it and the curl thread that fills it. Internal to
// upstream/.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/lib/curl/curl_handle.h"
#include "daemon/upstream/transport.h"
#include "shared/clock.h"

namespace nemo::upstream {

// Above this a transfer that has a connection of its own is paused: enough for a burst, small beside 1,000 streams.
constexpr std::size_t k_pipe_high_water = std::size_t{256} << 10U;
// A stream that shares an HTTP/2 connection is not paused, since libcurl would hold its siblings back with it. It may
// pile up this much (the flow-control window libcurl grants a stream) before it is ended alone.
constexpr std::size_t k_shared_pipe_limit = std::size_t{32} << 20U;

class CurlLoop;

struct Transfer {
  Request request;
  CurlLoop* loop = nullptr;  // the one it runs on

  // ---- guarded by `mutex`: both threads
  std::mutex mutex;
  Head head;
  bool head_ready = false;
  std::string pipe;
  bool ended = false;
  bool paused = false;
  std::optional<Error> failure;
  int waiter = -1;  // the eventfd of a worker that waits now, else -1
  SteadyTime sent_at{};
  SteadyTime last_bytes_at{};

  // ---- the curl thread only
  lib::curl::Url url;  // used by `easy`
  lib::curl::Easy easy;
  std::string profile;  // of `easy`
  std::unique_ptr<lib::curl::HeaderList> headers;
  Head next_head;  // being read
  bool multiplexed = false;
  bool overflowed = false;
  bool touched = false;  // something changed since its waiter was last woken
  bool running = false;  // added to the multi handle
  std::array<char, CURL_ERROR_SIZE> error_text{};
};

}  // namespace nemo::upstream
