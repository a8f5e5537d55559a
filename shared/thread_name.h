// Names the calling thread (at most 15 characters), so that it can be told apart in top, gdb and perf.
#pragma once

#include <pthread.h>

namespace nemo {

inline void name_this_thread(const char* name) {
#ifdef __APPLE__
  pthread_setname_np(name);
#else
  pthread_setname_np(pthread_self(), name);
#endif
}

}  // namespace nemo
