#include "cli/output/table.h"

#include <doctest/doctest.h>

#include <sstream>

namespace nemo::test::table_test {

using namespace nemo::cli::output;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Table calls() {
  Table table({{"MODEL", Align::left, 0, 10},
               {"COST", Align::right},
               {"SEAT", Align::left, 1, 6},
               {"CLIENT", Align::left, 2},
               {"ID", Align::left, 3}});
  table.add({{"gemini-2.5-flash-lite-preview"},
             {"$0.0012"},
             {"a-rather-long-seat"},
             {"OpenAI/JS"},
             {"req_0123456789abcdef"}});
  table.add({{"gemini-2.5-pro"}, {"$12.34"}, {"bob"}, {"curl"}, {"req_fedcba9876543210"}});
  return table;
}

}  // namespace

TEST_CASE("no line is wider than the terminal, at any width down to what must be whole") {
  for (const std::size_t width : {20U, 40U, 80U, 120U, 200U}) {
    for (const std::string& line : lines_of(calls().draw(width, Colours::off))) CHECK(width_of(line) <= width);
  }
}

TEST_CASE("a wide terminal shows everything whole") {
  const auto lines = lines_of(calls().draw(200, Colours::off));
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].find("gemini-2.5-flash-lite-preview") != std::string::npos);
  CHECK(lines[1].find("req_0123456789abcdef") != std::string::npos);
}

TEST_CASE("on a narrow terminal the least important columns go first and the most important stay") {
  const std::string eighty = calls().draw(80, Colours::off);
  CHECK(eighty.find("ID") != std::string::npos);
  const std::string forty = calls().draw(40, Colours::off);
  CHECK(forty.find("ID") == std::string::npos);
  CHECK(forty.find("SEAT") != std::string::npos);
  CHECK(forty.find("$12.34") != std::string::npos);
  const std::string twenty = calls().draw(20, Colours::off);
  CHECK(twenty.find("SEAT") == std::string::npos);
  CHECK(twenty.find("$0.0012") != std::string::npos);
  CHECK(twenty.find("…") != std::string::npos);
}

TEST_CASE("what is no terminal gets every column whole") {
  const std::string text = calls().draw(std::nullopt, Colours::off);
  CHECK(text.find("gemini-2.5-flash-lite-preview") != std::string::npos);
  CHECK(text.find("a-rather-long-seat") != std::string::npos);
  CHECK(text.find("req_fedcba9876543210") != std::string::npos);
}

TEST_CASE("numbers end at the same column") {
  const auto lines = lines_of(calls().draw(200, Colours::off));
  CHECK(lines[1].find("$0.0012") + 7 == lines[2].find("$12.34") + 6);
}

TEST_CASE("wide characters take two columns when rows are lined up") {
  Table table({{"NAME"}, {"N", Align::right}});
  table.add({{"日本"}, {"1"}});
  table.add({{"ab"}, {"2"}});
  const auto lines = lines_of(table.draw(80, Colours::off));
  CHECK(width_of(lines[1]) == width_of(lines[2]));
  CHECK(lines[1] == "日本  1");
}

TEST_CASE("a cell cannot send an escape sequence to the terminal") {
  Table table({{"CLIENT"}});
  table.add({{"evil\x1b[2J\x9b\n"}});
  const std::string text = table.draw(80, Colours::off);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(lines_of(text).size() == 2);
}

TEST_CASE("colours change no widths and are absent when they are off") {
  Table table({{"A"}, {"B"}});
  table.add({{"x", Style::good}, {"y", Style::bad}});
  CHECK(table.draw(80, Colours::off).find('\x1b') == std::string::npos);
  CHECK(table.draw(80, Colours::on).find("\x1b[32mx\x1b[0m  \x1b[31my\x1b[0m") != std::string::npos);
}

TEST_CASE("a column keeps the width it was told to, so that later rows line up") {
  Table table({{"A", Align::left, 0, 0, 6}, {"B"}});
  table.add({{"x"}, {"y"}});
  CHECK(table.draw(80, Colours::off, Header::hide) == "x       y\n");
}

TEST_CASE("a column that nothing is in takes no room on a terminal, and stays in a file") {
  Table table({{"A"}, {"TEAM", Align::left, 1}, {"B"}});
  table.add({{"x"}, {""}, {"y"}});
  CHECK(table.draw(80, Colours::off) == "A  B\nx  y\n");
  CHECK(table.draw(std::nullopt, Colours::off) == "A  TEAM  B\nx        y\n");
}

TEST_CASE("cut text ends in an ellipsis and fits") {
  CHECK(cut_to("abcdef", 4) == "abc…");
  CHECK(cut_to("abc", 4) == "abc");
  CHECK(cut_to("日本語", 4) == "日…");
  CHECK(cut_to("abc", 0).empty());
}

TEST_CASE("bytes that are not UTF-8 are shown as replacement characters") {
  CHECK(printable("a\xff"
                  "b") ==
        "a\uFFFD"
        "b");
  CHECK(printable("a\xe2\x82") == "a\uFFFD\uFFFD");
  CHECK(printable("\u202Eevil") == "·evil");
  CHECK(printable("ü…日") == "ü…日");
}

}  // namespace nemo::test::table_test
