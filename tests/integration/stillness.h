// Whether a daemon in the test's own process has come to rest. Source: proc(5), /proc/self/task/TID/status.
#pragma once

namespace nemo::test {

// True: there was a moment at which every thread of this process but the calling one slept, so that whatever had come
// by then has been dealt with. False says nothing: ask again.
bool all_others_sleep();

}  // namespace nemo::test
