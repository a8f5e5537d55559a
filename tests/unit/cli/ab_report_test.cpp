#include "cli/commands/ab_report.h"

#include <doctest/doctest.h>

#include <sstream>

#include "cli/output/text.h"

namespace nemo::test::ab_report_test {

using namespace nemo;
using namespace nemo::cli::commands;
using nemo::cli::output::Colours;

namespace {

admin::ArmReport arm_named(const std::string& name) {
  admin::ArmReport arm;
  arm.arm = name;
  arm.calls = 1'200;
  arm.errors = 6;
  arm.error_share = {0.005, 0.002, 0.011};
  arm.ttft_p50_ms = {312, 290, 340};
  arm.cost = "1.156";
  arm.cost_per_call = {0.00096, 0.0009, 0.00102};
  return arm;
}

std::string draw(const admin::ExperimentReport& report, std::optional<std::size_t> width = std::nullopt) {
  return draw_report(report, width, Colours::off);
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t longest_line(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  std::size_t longest = 0;
  while (std::getline(lines, line)) longest = std::max(longest, cli::output::width_of(line));
  return longest;
}

}  // namespace

TEST_CASE("a figure is drawn with its interval, in people's units") {
  const std::string text = draw({{}, {arm_named("a")}, {}, true});
  CHECK(holds(text, "1,200"));
  CHECK(holds(text, "0.5 % (0.2 % – 1.1 %)"));
  CHECK(holds(text, "312ms (290ms – 340ms)"));
  CHECK(holds(text, "$1.16"));
  CHECK(holds(text, "$0.000960 ($0.000900 – $0.00102)"));
}

TEST_CASE("what is not known yet is a dash, and a bound that is not known a question mark") {
  admin::ArmReport arm;
  arm.arm = "a";
  arm.ttft_p50_ms = {312, 290, std::nullopt};
  arm.latency_p50_ms = {900, std::nullopt, std::nullopt};
  const std::string text = draw({{}, {arm}, {}, true});
  CHECK(holds(text, "312ms (290ms – ?)"));
  CHECK(holds(text, "900ms (? – ?)"));
  CHECK(holds(text, "ttft p95    "));
  CHECK(holds(text, " -\n"));
}

TEST_CASE("the accepted share is shown only when completions were judged, refused calls only when there were any") {
  admin::ArmReport arm = arm_named("a");
  CHECK_FALSE(holds(draw({{}, {arm}, {}, true}), "accepted"));
  CHECK_FALSE(holds(draw({{}, {arm}, {}, true}), "refused"));
  arm.judged = 40;
  arm.accepted = 12;
  arm.accepted_share = {0.3, 0.18, 0.455};
  arm.refused = 7;
  const std::string text = draw({{}, {arm}, {}, true});
  CHECK(holds(text, "30.0 % (18.0 % – 45.5 %)"));
  CHECK(holds(text, "12 of 40"));
  CHECK(holds(text, "refused"));
}

TEST_CASE("arms that do not fit beside each other are drawn below each other, and nothing is wider than the terminal") {
  const admin::ExperimentReport report{
      {}, {arm_named("gemini-2.5-flash"), arm_named("gemini-2.5-flash-lite"), arm_named("codestral-2")}, {}, true};
  const std::string wide = draw(report, 200);
  const std::string narrow = draw(report, 80);
  CHECK(longest_line(narrow) <= 80);
  for (const char* name : {"gemini-2.5-flash", "gemini-2.5-flash-lite", "codestral-2"}) CHECK(holds(narrow, name));
  const auto count = [](const std::string& text) {
    std::size_t times = 0;
    for (std::size_t at = text.find("ttft p50"); at != std::string::npos; at = text.find("ttft p50", at + 1)) ++times;
    return times;
  };
  CHECK(count(wide) == 1);
  CHECK(count(narrow) == 3);
}

TEST_CASE("each pair has its sentences, and those that are more than noise are marked") {
  const std::string text = draw({{},
                                 {arm_named("a"), arm_named("b")},
                                 {{"ttft_p50", "a", "b", {-20, -30, -10}, true, "b: ttft is 20 ms lower"},
                                  {"cost", "a", "b", {}, false, "cost: no difference can be told yet"}},
                                 true});
  CHECK(holds(text, "\nb against a\n"));
  CHECK(holds(text, "\n  • b: ttft is 20 ms lower\n"));
  CHECK(holds(text, "\n    cost: no difference can be told yet\n"));
}

TEST_CASE("a model's name cannot give the terminal orders") {
  CHECK_FALSE(
      holds(draw({{}, {arm_named("a\x1b[31m")}, {{"cost", "a\x1b[0m", "b", {}, true, "\x1b[2J"}}, true}), "\x1b"));
}

}  // namespace nemo::test::ab_report_test
