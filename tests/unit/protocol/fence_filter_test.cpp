#include "daemon/protocol/translate/fence_filter.h"

#include <doctest/doctest.h>

#include <string>

namespace nemo::test::fence_filter_test {

using nemo::protocol::FenceFilter;

namespace {

// The text in pieces of `step` bytes through the filter.
std::string filtered(const std::string& text, std::size_t step) {
  FenceFilter filter;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += step) filter.push(text.substr(at, step), out);
  filter.finish(out);
  return out;
}

void check(const std::string& text, const std::string& expected) {
  CAPTURE(text);
  for (std::size_t step = 1; step <= text.size(); ++step) CHECK(filtered(text, step) == expected);
}

}  // namespace

TEST_CASE("a pair of fence lines is taken away, in pieces of any size") {
  check("```cpp\nint x;\n```", "int x;");
  check("```\nint x;\n  y;\n```\n", "int x;\n  y;");
  check("\n ```py\r\na\r\n```\r\n", "a");
  check("```\n```", "");
  check("```\na\n\n\n```", "a\n\n");
  check("```\na\n  ```\n", "a");
  check("```c\na ``` b\n```", "a ``` b");
}

TEST_CASE("text without a fence is untouched") {
  for (const char* text :
       {"int x;\n", "", "\n", "    indented\n\n", "a ```\ncode\n```", "``", "`a`", "````", "``x`\n"}) {
    check(text, text);
  }
}

TEST_CASE("inline code with three marks is not a fence") {
  check("```x``` and more\n", "```x``` and more\n");
}

TEST_CASE("an answer that breaks off keeps all its text") {
  check("```cpp", "```cpp");
  check("```cpp\nint x;\n", "int x;\n");
  check("```cpp\nint x;\n``", "int x;\n``");
  check("```cpp\nint x;\n\n\n", "int x;\n\n\n");
}

TEST_CASE("what follows the closing line is kept with it") {
  check("```\na\n```\nThis adds a.", "a\n```\nThis adds a.");
}

TEST_CASE("no more than a line is held back") {
  FenceFilter filter;
  std::string out;
  filter.push("```" + std::string(1000, 'x'), out);
  CHECK(out.size() == 1003);
  FenceFilter blank;
  std::string blanks;
  blank.push("```\na" + std::string(1000, '\n'), blanks);
  CHECK(blanks.size() == 1000);  // all but the last line end
}

}  // namespace nemo::test::fence_filter_test
