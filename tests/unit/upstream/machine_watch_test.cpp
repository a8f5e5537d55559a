#include "daemon/upstream/machine_watch.h"

#include <doctest/doctest.h>

namespace nemo::test::machine_watch_test {

using nemo::upstream::MachineWatch;
using nemo::upstream::Sight;
using std::chrono::milliseconds;
using std::chrono::minutes;

TEST_CASE("a sleep and another network are each told once, and what only flickers is not") {
  Sight seen{minutes(3), "10.0.0.7 "};
  MachineWatch watch([&] { return seen; });
  CHECK_FALSE(watch.has_changed());
  seen.slept += milliseconds(900);
  CHECK_FALSE(watch.has_changed());
  seen.slept += minutes(40);
  CHECK(watch.has_changed());
  CHECK_FALSE(watch.has_changed());
  seen.addresses = "192.168.1.4 ";
  CHECK(watch.has_changed());
  CHECK_FALSE(watch.has_changed());
  seen.addresses = "";  // between two networks
  CHECK_FALSE(watch.has_changed());
  seen.addresses = "192.168.1.4 ";
  CHECK_FALSE(watch.has_changed());
}

TEST_CASE("short pauses of the clocks do not add up to a sleep unless they are one") {
  Sight seen{};
  MachineWatch watch([&] { return seen; });
  bool changed = false;
  for (int i = 0; i < 3; ++i) {
    seen.slept += milliseconds(900);
    changed = watch.has_changed();
  }
  CHECK(changed);  // 2.7 s in all since the last time that was told
}

TEST_CASE("this machine can be looked at") {
  MachineWatch watch;
  CHECK_FALSE(watch.has_changed());
}

}  // namespace nemo::test::machine_watch_test
