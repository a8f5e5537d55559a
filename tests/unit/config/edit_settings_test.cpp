#include "daemon/config/edit_settings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "daemon/config/parse_settings.h"
#include "tests/unit/config/sample_settings.h"

namespace nemo::test::edit_settings_test {

using namespace nemo::config;

namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

std::string edited(std::string_view text, std::string_view lane, std::string_view model) {
  auto result = with_lane_model(text, lane, model);
  REQUIRE_MESSAGE(result.ok(), result.error().message);
  return std::move(*result);
}

std::string model_of(std::string_view text, const std::string& lane) {
  const auto settings = parse_settings(text, "nemo.toml");
  REQUIRE_MESSAGE(settings.ok(), settings.error().message);
  return settings->lanes.at(lane).model;
}

// Every line of `before` is in `after`, unchanged and in order, but for at most `changed` of them.
bool keeps_lines(std::string_view before, std::string_view after, std::size_t changed) {
  const auto old_lines = lines_of(before);
  const auto new_lines = lines_of(after);
  std::size_t missing = 0;
  std::size_t at = 0;
  for (const std::string& line : old_lines) {
    const auto found = std::find(new_lines.begin() + static_cast<std::ptrdiff_t>(at), new_lines.end(), line);
    if (found == new_lines.end()) {
      ++missing;
    } else {
      at = static_cast<std::size_t>(found - new_lines.begin()) + 1;
    }
  }
  return missing <= changed;
}

}  // namespace

TEST_CASE("only the model's text changes, the comment behind it stays") {
  CHECK(edited("[lane.completion]\nmodel = \"gemini-2.5-flash\"     # quick\nstrategy = \"cost\"\n", "completion",
               "codestral-2") == "[lane.completion]\nmodel = \"codestral-2\"     # quick\nstrategy = \"cost\"\n");
}

TEST_CASE("a table without a model gets one under its header") {
  CHECK(edited("# top\n[lane.completion] # fast\nstrategy = \"cost\"\n", "completion", "codestral-2") ==
        "# top\n[lane.completion] # fast\nmodel = \"codestral-2\"\nstrategy = \"cost\"\n");
}

TEST_CASE("a header that ends the file without a line end gets its model too") {
  CHECK(edited("[lane.completion]", "completion", "codestral-2") == "[lane.completion]\nmodel = \"codestral-2\"\n");
}

TEST_CASE("a missing table is added at the end") {
  CHECK(edited("require_key = true\n", "reasoning", "claude-opus-5@default") ==
        "require_key = true\n\n[lane.reasoning]\nmodel = \"claude-opus-5@default\"\n");
  CHECK(edited("require_key = true", "reasoning", "codestral-2") ==
        "require_key = true\n\n[lane.reasoning]\nmodel = \"codestral-2\"\n");
}

TEST_CASE("an empty file becomes the one table") {
  CHECK(edited("", "completion", "codestral-2") == "[lane.completion]\nmodel = \"codestral-2\"\n");
}

TEST_CASE("dotted keys are edited in place, and added beside their like") {
  CHECK(edited("lane.completion.model = 'gemini-2.5-flash' # x\n", "completion", "codestral-2") ==
        "lane.completion.model = \"codestral-2\" # x\n");
  CHECK(edited("lane.completion.strategy = \"cost\"\n[routing]\n", "completion", "codestral-2") ==
        "lane.completion.model = \"codestral-2\"\nlane.completion.strategy = \"cost\"\n[routing]\n");
  CHECK(edited("[lane]\ncompletion . strategy = \"cost\"\n", "completion", "codestral-2") ==
        "[lane]\ncompletion . model = \"codestral-2\"\ncompletion . strategy = \"cost\"\n");
}

TEST_CASE("inline tables are edited in place") {
  CHECK(edited("lane = { completion = { model = \"gemini-2.5-flash\", strategy = \"cost\" } } # x\n", "completion",
               "codestral-2") == "lane = { completion = { model = \"codestral-2\", strategy = \"cost\" } } # x\n");
  CHECK(edited("[lane]\ncompletion = { strategy = \"cost\" }\n", "completion", "codestral-2") ==
        "[lane]\ncompletion = { model = \"codestral-2\", strategy = \"cost\" }\n");
  CHECK(model_of(edited("[lane]\ncompletion = {}\n", "completion", "codestral-2"), "completion") == "codestral-2");
  CHECK(model_of(edited("lane = { reasoning = { strategy = \"cost\" } }\n", "completion", "codestral-2"),
                 "completion") == "codestral-2");
  CHECK(model_of(edited("lane = {}\n", "completion", "codestral-2"), "completion") == "codestral-2");
}

TEST_CASE("the other lane's table and text that only looks like a table are left alone") {
  const std::string text =
      "# [lane.completion]\n# model = \"x\"\n[lane.reasoning]\nmodel = \"gemini-2.5-pro\"\n[alias]\n"
      "\"[lane.completion]\" = \"codestral-2\"\n\"m\" = \"\"\"codestral-2\"\"\"\n";
  const std::string after = edited(text, "completion", "codestral-2");
  CHECK(after.starts_with(text));
  CHECK(model_of(after, "completion") == "codestral-2");
  CHECK(model_of(after, "reasoning") == "gemini-2.5-pro");
}

TEST_CASE("letters outside of ASCII before the model do not move the edit") {
  CHECK(edited("lane = { reasoning = { tags = [\"é€𝄞\"], model = \"gemini-2.5-pro\" } } # ü\n", "reasoning",
               "codestral-2") == "lane = { reasoning = { tags = [\"é€𝄞\"], model = \"codestral-2\" } } # ü\n");
}

TEST_CASE("a byte order mark and Windows line ends stay") {
  CHECK(edited("\xEF\xBB\xBFlane.completion.model = \"gemini-2.5-pro\"\r\n", "completion", "codestral-2") ==
        "\xEF\xBB\xBFlane.completion.model = \"codestral-2\"\r\n");
  CHECK(edited("require_key = true\r\n", "completion", "codestral-2") ==
        "require_key = true\r\n\r\n[lane.completion]\r\nmodel = \"codestral-2\"\r\n");
  CHECK(edited("[lane.completion]\r\nstrategy = \"cost\"\r\n", "completion", "codestral-2") ==
        "[lane.completion]\r\nmodel = \"codestral-2\"\r\nstrategy = \"cost\"\r\n");
}

TEST_CASE("setting the model that is set already changes nothing") {
  CHECK(edited(k_sample, "completion", "gemini-2.5-flash") == k_sample);
}

TEST_CASE("setting a model twice is the same as setting it once, and there and back is where it began") {
  const std::string once = edited(k_sample, "completion", "codestral-2");
  CHECK(edited(once, "completion", "codestral-2") == once);
  CHECK(edited(once, "completion", "gemini-2.5-flash") == k_sample);
}

TEST_CASE("a lane of one's own can be set, with a name that needs quotes") {
  const std::string after = edited("", "my lane", "codestral-2");
  CHECK(after == "[lane.\"my lane\"]\nmodel = \"codestral-2\"\n");
  CHECK(edited(after, "my lane", "codestral-2501") == "[lane.\"my lane\"]\nmodel = \"codestral-2501\"\n");
}

TEST_CASE("a model that does not exist is refused with the nearest") {
  const auto result = with_lane_model(k_sample, "completion", "gemini-2.5-flahs");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().kind == nemo::ErrorKind::invalid_config);
  CHECK(result.error().message.find("\"gemini-2.5-flash\"") != std::string::npos);
  CHECK_FALSE(with_lane_model(k_sample, "completion", "").ok());
  CHECK_FALSE(with_lane_model(k_sample, "completion", "codestral-2\"\nrequire_key = false\nx = \"").ok());
}

TEST_CASE("a lane that does not exist is refused") {
  CHECK_FALSE(with_lane_model(k_sample, "compltion", "codestral-2").ok());
  CHECK_FALSE(with_lane_model(k_sample, "", "codestral-2").ok());
}

TEST_CASE("a file with a mistake is refused with its line, not edited") {
  const auto result = with_lane_model("require_key = yes\n", "completion", "codestral-2");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message.find("nemo.toml:1:") != std::string::npos);
}

TEST_CASE("what cannot be edited safely is refused with the line to change by hand") {
  // The dotted key has a neighbour in front of it on its line.
  const auto result = with_lane_model(
      "\nlane = { reasoning.model = \"codestral-2\", completion.strategy = \"cost\" }\n", "completion", "codestral-2");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message.find("nemo.toml:2: ") != std::string::npos);
  CHECK(result.error().message.find("by hand") != std::string::npos);
  CHECK(result.error().message.find("lane.completion.model is \"codestral-2\"") != std::string::npos);
}

TEST_CASE("whatever else stands in the file, every other line stays byte for byte and the model is the wanted one") {
  const std::vector<std::string> before = {"", "# [lane.completion]\n", "require_key = false # \"model\" = 'x'\n",
                                           "\n\n   \n", "allowed_hosts = [\n  \"a\", # [x]\n  \"b\"\n]\n"};
  const std::vector<std::string> lanes = {
      "",
      "[lane.completion]\n",
      "  [ lane . completion ]  # c\n\n  strategy=\"cost\"\n",
      "[lane.completion]\nstrategy = \"cost\"\n# model\n\tmodel\t=\t'codestral-2501'\t# c\ntags = []\n",
      "[lane]\n[lane.completion]\nmodel = \"\"\"codestral-2501\"\"\"\n",
      "[lane.\"completion\"]\n\"model\" = \"codestral\\u002d2501\"\n",
      "[lane]\ncompletion.model = \"codestral-2501\"\n",
      "[lane]\n  completion.strategy = \"cost\"\n",
      "[lane]\ncompletion = { }\n",
      "[lane]\ncompletion = {strategy=\"cost\"}\n"};
  const std::vector<std::string> after = {"", "[routing]\nnum_retries = 1\n",
                                          "[lane.reasoning]\nmodel = \"codestral-2\" # keep\n",
                                          "[model.\"m # n\"]\nprice = { input = \"1\", output = \"2\" }",
                                          "[alias]\n\"[lane.completion]\" = \"codestral-2\"\n"};
  for (const std::string& first : before) {
    for (const std::string& middle : lanes) {
      for (const std::string& last : after) {
        const std::string text = first + middle + last;
        CAPTURE(text);
        const std::string result = edited(text, "completion", "gemini-3.5-flash");
        CHECK(model_of(result, "completion") == "gemini-3.5-flash");
        const bool ends_open = !text.empty() && !text.ends_with('\n');
        CHECK(keeps_lines(text + (ends_open ? "\n" : ""), result + (ends_open ? "\n" : ""), 1));
      }
    }
  }
}

}  // namespace nemo::test::edit_settings_test
