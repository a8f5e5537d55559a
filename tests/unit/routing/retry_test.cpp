#include "daemon/routing/retry.h"

#include <doctest/doctest.h>

namespace nemo::test::retry_test {

using namespace nemo::routing;
using namespace std::chrono_literals;

TEST_CASE("each round waits twice as long as the one before, of which a random part between half and all is taken") {
  const std::vector<std::pair<int, std::chrono::milliseconds>> rounds{{1, 100ms}, {2, 200ms},  {3, 400ms},
                                                                      {4, 800ms}, {5, 1600ms}, {6, 3200ms}};
  for (const auto& [round, whole] : rounds) {
    auto shortest = 10'000ms;
    auto longest = 0ms;
    for (std::uint64_t random = 0; random < 2'000; ++random) {
      const auto delay = delay_before_round(round, std::nullopt, random);
      REQUIRE(delay);
      shortest = std::min(shortest, *delay);
      longest = std::max(longest, *delay);
    }
    CHECK(shortest >= whole / 2);
    CHECK(shortest <= whole / 2 + whole / 50);
    CHECK(longest <= whole);
    CHECK(longest >= whole - whole / 50);
  }
}

TEST_CASE("a round so late that it would wait too long is not made") {
  for (const int round : {7, 8, 64, 1'000'000}) CHECK(!delay_before_round(round, std::nullopt, 1));
}

TEST_CASE("at least what upstream asked for is waited, unless that is too long") {
  struct Row {
    int round;
    std::chrono::seconds retry_after;
    std::optional<std::chrono::milliseconds> delay;
  };
  for (const Row& row : std::vector<Row>{{1, 1s, 1000ms},
                                         {1, 5s, 5000ms},
                                         {3, 3s, 3000ms},
                                         {1, 6s, std::nullopt},
                                         {1, std::chrono::seconds(3600), std::nullopt},
                                         {0, 2s, 2000ms}}) {
    CHECK(delay_before_round(row.round, row.retry_after, 1) == row.delay);
  }
  const auto delay = delay_before_round(6, 1s, 1);  // longer than asked for
  REQUIRE(delay);
  CHECK(*delay >= 1600ms);
  CHECK(*delay_before_round(1, 0s, 1) >= 50ms);
}

TEST_CASE("before the first round nothing is waited for") {
  CHECK(delay_before_round(0, std::nullopt, 1) == 0ms);
}

}  // namespace nemo::test::retry_test
