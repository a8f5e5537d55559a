#include "shared/money.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace nemo::test::money_test {

using namespace nemo;

TEST_CASE("dollars are exact and have no trailing zeros") {
  CHECK(to_dollars({0}) == "0");
  CHECK(to_dollars({1}) == "0.000000001");
  CHECK(to_dollars({1500}) == "0.0000015");
  CHECK(to_dollars({100'000'000}) == "0.1");
  CHECK(to_dollars({1'000'000'000}) == "1");
  CHECK(to_dollars({10'500'000'000}) == "10.5");
  CHECK(to_dollars({-1'500'000'000}) == "-1.5");
  CHECK(to_dollars({-1}) == "-0.000000001");
  CHECK(to_dollars({std::numeric_limits<std::int64_t>::max()}) == "9223372036.854775807");
  CHECK(to_dollars({std::numeric_limits<std::int64_t>::min()}) == "-9223372036.854775808");
}

TEST_CASE("an amount is parsed without rounding") {
  const auto parsed = [](std::string_view text) {
    const auto amount = parse_dollars(text);
    REQUIRE(amount.ok());
    return amount->value;
  };
  CHECK(parsed("0") == 0);
  CHECK(parsed("80") == 80'000'000'000);
  CHECK(parsed("0.1") == 100'000'000);
  CHECK(parsed(".5") == 500'000'000);
  CHECK(parsed("5.") == 5'000'000'000);
  CHECK(parsed("007") == 7'000'000'000);
  CHECK(parsed("0.000000001") == 1);
  CHECK(parsed("0.300000000") == 300'000'000);
  CHECK(parsed("9223372036.854775807") == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("what is no amount of dollars is refused, and the message quotes it") {
  for (const std::string text : {"", ".", "-1", "+1", "1e3", "1,5", "1.2.3", "1..2", " 1", "1 ", "$1", "0x10", "inf",
                                 "nan", "0.0000000001", "1.0000000000", "１"}) {
    CAPTURE(text);
    const auto amount = parse_dollars(text);
    REQUIRE_FALSE(amount.ok());
    CHECK(amount.error().kind == ErrorKind::invalid_request);
    CHECK(amount.error().message.find("\"" + text + "\"") != std::string::npos);
  }
}

TEST_CASE("an amount that does not fit is too large, not a wrong character") {
  for (const char* text : {"9223372036.854775808", "9223372037", "99999999999999999999999999", "10000000000.0"}) {
    CAPTURE(text);
    const auto amount = parse_dollars(text);
    REQUIRE_FALSE(amount.ok());
    CHECK(amount.error().message.find("too large") != std::string::npos);
  }
}

TEST_CASE("every amount is parsed back from its dollars") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 10'000; ++i) {
    // All sizes, not only huge ones.
    const NanoUsd amount{static_cast<std::int64_t>((random() >> 1U) >> (random() % 63))};
    const auto again = parse_dollars(to_dollars(amount));
    REQUIRE(again.ok());
    REQUIRE(*again == amount);
  }
}

TEST_CASE("amounts add, subtract and compare as numbers do") {
  NanoUsd sum{5};
  sum += {7};
  CHECK(sum == NanoUsd{12});
  CHECK(NanoUsd{5} + NanoUsd{7} == sum);
  CHECK(NanoUsd{5} - NanoUsd{7} == NanoUsd{-2});
  CHECK(NanoUsd{-2} < NanoUsd{1});
}

}  // namespace nemo::test::money_test
