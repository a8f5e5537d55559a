#include "cli/output/figures.h"

#include <doctest/doctest.h>

#include "cli/output/json_text.h"

namespace nemo::test::figures_test {

using namespace nemo::cli::output;

TEST_CASE("small amounts keep two digits, dollars keep cents") {
  CHECK(show_money("0") == "$0");
  CHECK(show_money("0.0012") == "$0.0012");
  CHECK(show_money("0.001156") == "$0.0012");
  CHECK(show_money("0.000000015") == "$0.000000015");
  CHECK(show_money("0.4567") == "$0.46");
  CHECK(show_money("0.999") == "$1.00");
  CHECK(show_money("0.5") == "$0.50");
  CHECK(show_money("0.01") == "$0.01");
  CHECK(show_money("1") == "$1.00");
  CHECK(show_money("12.344") == "$12.34");
  CHECK(show_money("12.345") == "$12.35");
  CHECK(show_money("1234567.5") == "$1,234,567.50");
}

TEST_CASE("a price is not rounded and has cents") {
  CHECK(show_price("0.3") == "$0.30");
  CHECK(show_price("2.50") == "$2.50");
  CHECK(show_price("0.0375") == "$0.0375");
  CHECK(show_price("15") == "$15.00");
  CHECK(show_price("0") == "$0");
}

TEST_CASE("what is no amount is shown as it came") {
  CHECK(show_money("n/a") == "n/a");
}

TEST_CASE("counts have separators, or a unit when they must be short") {
  CHECK(show_count(0) == "0");
  CHECK(show_count(999) == "999");
  CHECK(show_count(1'000) == "1,000");
  CHECK(show_count(-1'234'567) == "-1,234,567");
  CHECK(show_short_count(9'999) == "9999");
  CHECK(show_short_count(12'345) == "12.3k");
  CHECK(show_short_count(999'960) == "1M");
  CHECK(show_short_count(200'000) == "200k");
  CHECK(show_short_count(1'048'576) == "1M");
}

TEST_CASE("a duration has the unit that reads best") {
  CHECK(show_millis(0.42) == "0.4ms");
  CHECK(show_millis(9.96) == "10ms");
  CHECK(show_millis(312.4) == "312ms");
  CHECK(show_millis(999.6) == "1.00s");
  CHECK(show_millis(1'234.5) == "1.23s");
  CHECK(show_millis(59'996) == "1m00s");
  CHECK(show_millis(125'000) == "2m05s");
  CHECK(show_millis(7'380'000) == "2h 3m");
  CHECK(show_seconds(42) == "42s");
  CHECK(show_seconds(720) == "12m");
  CHECK(show_seconds(18'180) == "5h 3m");
  CHECK(show_seconds(273'600) == "3d 4h");
}

TEST_CASE("a bar is drawn in eighths of a block") {
  CHECK(bar(1, 4) == "████");
  CHECK(bar(0.5, 4) == "██");
  CHECK(bar(0.5 + 1.0 / 32, 4) == "██▏");
  CHECK(bar(7.0 / 32, 4) == "▉");
  CHECK(bar(2, 4) == "████");
}

TEST_CASE("a little shows as a little and nothing as nothing") {
  CHECK(bar(0.0001, 10) == "▏");
  CHECK(bar(0, 10).empty());
  CHECK(bar(-1, 10).empty());
  CHECK(bar(1, 0).empty());
}

TEST_CASE("CSV quotes what needs it and doubles quotes") {
  CHECK(csv_line({"a", "b,c", "say \"hi\"", "", "two\nlines"}) == "a,\"b,c\",\"say \"\"hi\"\"\",,\"two\nlines\"\r\n");
}

}  // namespace nemo::test::figures_test
