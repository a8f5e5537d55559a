#include "cli/commands/budget_bars.h"

#include <doctest/doctest.h>

#include <sstream>

#include "cli/output/figures.h"
#include "cli/output/text.h"
#include "shared/admin/timestamp.h"

namespace nemo::test::budget_bars_test {

using namespace nemo;
using namespace nemo::cli::commands;
using nemo::cli::output::Colours;

namespace {

const WallTime k_now = *admin::parse_rfc3339("2026-11-21T12:00:00Z");

admin::Budget alex() {
  admin::Budget budget{"seat", "alex", "alex", "month", "80", "31", "0", "0", "49", 38, "2026-12-01T00:00:00Z", false};
  return budget;
}

std::string draw(const std::vector<admin::Budget>& budgets, std::optional<std::size_t> width = std::nullopt) {
  return draw_budgets(budgets, width, Colours::off, k_now);
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a scope is drawn as its name, what is used of what, a bar, and when it resets") {
  CHECK(draw({alex()}) == "Seats\n  alex  $31.00 / $80.00 ███▉······ resets in 9 d (month)\n");
}

TEST_CASE("teams come before seats and seats before keys, each under its heading") {
  admin::Budget team = alex();
  team.scope = "team";
  team.label = "core";
  admin::Budget key = alex();
  key.scope = "key";
  key.label = "alex …ab12";
  const std::string text = draw({key, alex(), team});
  CHECK(text.find("Teams\n  core") < text.find("Seats\n  alex "));
  CHECK(text.find("Seats\n") < text.find("Keys\n  alex …ab12"));
}

TEST_CASE("what is used up is marked, and only its bar is full") {
  admin::Budget nearly = alex();
  nearly.spent = "79.999999999";
  nearly.percent = 99;
  CHECK(holds(draw({nearly}), "█████████▉ resets"));
  nearly.spent = "80";
  nearly.capped = true;
  CHECK(holds(draw({nearly}), "██████████ capped, resets in 9 d"));
}

TEST_CASE("a budget of nothing is drawn as used up") {
  admin::Budget none = alex();
  none.limit = "0";
  none.spent = "0";
  none.capped = true;
  CHECK(holds(draw({none}), "$0 / $0 ██████████ capped"));
}

TEST_CASE("what a crash left counts as used and is marked, what is reserved is told") {
  admin::Budget budget = alex();
  budget.unsettled = "9";
  budget.reserved = "0.5";
  const std::string text = draw({budget});
  CHECK(holds(text, "$40.00 / $80.00 █████·····"));
  CHECK(holds(text, "$0.50 more is reserved by calls that run; $9.00 of it is unsettled after a crash *"));
  CHECK_FALSE(holds(draw({alex()}), "*"));
}

TEST_CASE("no line is wider than the terminal, and a wide one gets longer bars") {
  admin::Budget key = alex();
  key.scope = "key";
  key.label = "somebody-with-a-very-long-name-indeed …ab12";
  key.reserved = "0.5";
  for (const std::size_t width : {60, 72, 80, 100, 200}) {
    CAPTURE(width);
    std::istringstream lines(draw({alex(), key}, width));
    for (std::string line; std::getline(lines, line);) CHECK(cli::output::width_of(line) <= width);
  }
  CHECK(holds(draw({alex()}, 200), "███████████▋··················"));
}

TEST_CASE("a name cannot give the terminal orders") {
  admin::Budget budget = alex();
  budget.label = "evil\x1b[2J";
  CHECK_FALSE(holds(draw({budget}), "\x1b"));
}

TEST_CASE("a reset is told in days, hours or minutes, and a total never resets") {
  CHECK(say_reset("2026-11-30T12:00:00Z", k_now) == "resets in 9 d");
  CHECK(say_reset("2026-11-23T11:59:00Z", k_now) == "resets in 47 h");
  CHECK(say_reset("2026-11-21T13:00:00Z", k_now) == "resets in 1 h");
  CHECK(say_reset("2026-11-21T12:00:30Z", k_now) == "resets in 1 min");
  CHECK(say_reset("2026-11-21T11:00:00Z", k_now) == "resets in 0 min");
  CHECK(say_reset("", k_now) == "never resets");
}

TEST_CASE("a gauge has its full width and is full only when all is used") {
  CHECK(cli::output::gauge(0, 4) == "····");
  CHECK(cli::output::gauge(0.5, 4) == "██··");
  CHECK(cli::output::gauge(0.9999, 4) == "███▉");
  CHECK(cli::output::gauge(1, 4) == "████");
  CHECK(cli::output::gauge(7, 4) == "████");
}

}  // namespace nemo::test::budget_bars_test
