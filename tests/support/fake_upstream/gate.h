// Owns: which of the answers that a script holds back may go on. A test decides that, not the clock.
//
// A release lets all go on that are held by then, and those that come later, until a script is set anew
// (/control/default, /control/rule, /control/clear): the calls that come after that are held again.
#pragma once

#include <cstdint>

namespace nemo::fake_upstream {

class Gate {
 public:
  // Taken when a call comes; says behind which release it waits.
  using Ticket = std::uint64_t;
  Ticket ticket() const { return m_ticket; }
  bool is_open_for(Ticket ticket) const { return ticket <= m_released; }

  void release() { m_released = m_ticket; }
  void shut() { m_ticket = m_released + 1; }
  // Changes when something may go on.
  std::uint64_t released() const { return m_released; }

 private:
  Ticket m_ticket = 1;
  std::uint64_t m_released = 0;
};

}  // namespace nemo::fake_upstream
