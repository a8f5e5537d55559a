// How a call that nobody wants any more is woken, whatever it waits for: upstream, another's answer, or time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/completion/asked.h"
#include "daemon/upstream/transport.h"
#include "shared/clock.h"
#include "shared/file_descriptor.h"
#include "shared/guarded.h"

namespace nemo::gateway {

// Rung by any thread, waited for by one.
class EventBell final : public completion::Bell {
 public:
  EventBell();  // throws std::system_error when there are no descriptors left

  void ring() noexcept override;
  enum class Rung : std::uint8_t { bell, client_gone, timeout };
  // `client_fd` < 0: no client to watch.
  Rung wait(int client_fd, std::optional<SteadyTime> until = {});

 private:
  FileDescriptor m_event;
};

class CallOff {
 public:
  EventBell bell;

  // Any thread. Ends what it watches, and rings.
  void now();
  bool is_off() const;
  // The worker thread: an exchange that ends with the call, with ErrorKind::superseded.
  void watch(std::shared_ptr<upstream::Canceller> canceller);

 private:
  struct State {
    bool is_off = false;
    std::vector<std::shared_ptr<upstream::Canceller>> cancellers;
  };
  Guarded<State> m_state;
};

Error superseded();

}  // namespace nemo::gateway
