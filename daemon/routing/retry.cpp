#include "daemon/routing/retry.h"

#include <algorithm>

#include "daemon/routing/draws.h"

namespace nemo::routing {

std::optional<std::chrono::milliseconds> delay_before_round(int round, std::optional<std::chrono::seconds> retry_after,
                                                            std::uint64_t random) {
  using std::chrono::milliseconds;
  constexpr milliseconds k_first{100};
  constexpr milliseconds k_longest{5'000};  // a person waits, and the editor has its own timeout
  milliseconds delay{0};
  if (round > 0) {
    milliseconds whole = k_first;
    for (int i = 1; i < round && whole <= k_longest; ++i) whole *= 2;
    if (whole > k_longest) return std::nullopt;
    const milliseconds half = whole / 2;
    delay = half + milliseconds(Draws(random).below(static_cast<std::size_t>(half.count()) + 1));
  }
  if (retry_after) {
    if (*retry_after > k_longest) return std::nullopt;
    delay = std::max<milliseconds>(delay, *retry_after);
  }
  return delay;
}

}  // namespace nemo::routing
