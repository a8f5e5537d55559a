// A rule that a fuzz target holds its input against: broken means a crash that libFuzzer reports with the input.
#pragma once

#include <cstdio>
#include <cstdlib>

#define REQUIRE_RULE(condition)                                                    \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                \
    }                                                                              \
  } while (false)
