// What the server is to send on one connection, as steps in time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace nemo::fake_upstream {

enum class Ending {
  none,        // more steps follow
  keep_alive,  // the answer is whole
  close,       // FIN
  reset,       // RST
  stall,       // nothing more, until the client leaves
};

struct Step {
  double wait_ms = 0;  // since the step before was due
  std::string bytes;   // one send
  std::int64_t chunks = 0;
  std::int64_t words = 0;
  Ending ending = Ending::none;  // once the bytes are sent
  bool held = false;             // not before the gate opens; wait_ms begins then
};

class Playback {
 public:
  Playback() = default;
  Playback(const Playback&) = delete;
  Playback& operator=(const Playback&) = delete;
  virtual ~Playback() = default;
  // Not called again after a step that has an ending.
  virtual Step next() = 0;
};

// Everything from its first step on waits for the gate.
class HeldBack final : public Playback {
 public:
  explicit HeldBack(std::unique_ptr<Playback> inner) : m_inner(std::move(inner)) {}
  Step next() override {
    Step step = m_inner->next();
    step.held = step.held || !m_has_begun;
    m_has_begun = true;
    return step;
  }

 private:
  std::unique_ptr<Playback> m_inner;
  bool m_has_begun = false;
};

class SingleStep final : public Playback {
 public:
  explicit SingleStep(Step step) : m_step(std::move(step)) {}
  Step next() override { return std::move(m_step); }

 private:
  Step m_step;
};

}  // namespace nemo::fake_upstream
