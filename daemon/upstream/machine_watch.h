// Owns: noticing that this machine has slept, or that its network is another one: connections from before are dead
// then, though nobody has been told. Must not know: what is done about it.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace nemo::upstream {

// What can be seen of the machine from within.
struct Sight {
  std::chrono::nanoseconds slept{0};  // since it was started
  std::string addresses;              // of its interfaces that are up, but for loopback and link-local ones
};
// clock_gettime(2), getifaddrs(3). What cannot be read stays as it is by default.
Sight look_at_machine();

// One thread.
class MachineWatch {
 public:
  explicit MachineWatch(std::function<Sight()> look = look_at_machine) : m_look(std::move(look)), m_last(m_look()) {}

  // Whether it is so since the last time that this was asked, or since the beginning. That all addresses are gone is no
  // change yet: there is nobody to connect to.
  bool has_changed();

 private:
  std::function<Sight()> m_look;
  Sight m_last;
};

}  // namespace nemo::upstream
