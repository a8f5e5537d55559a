#include "daemon/config/toml_precheck.h"

#include <doctest/doctest.h>

#include <string>

#include "daemon/config/parse_settings.h"
#include "daemon/config/toml_document.h"
#include "tests/unit/config/sample_settings.h"

namespace nemo::test::toml_precheck_test {

using namespace nemo::config;

namespace {

std::string repeated(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

// 0: there is no flaw.
std::size_t flawed_line(std::string_view text) {
  const auto flaw = find_flaw(text);
  return flaw ? flaw->line : 0;
}

}  // namespace

TEST_CASE("a usual config is shallow") {
  CHECK_FALSE(find_flaw(k_sample));
  CHECK_FALSE(find_flaw(""));
}

TEST_CASE("sixteen open brackets or dots are enough") {
  CHECK_FALSE(find_flaw("a = " + repeated("[", 16)));
  CHECK(flawed_line("\na = " + repeated("[", 17)) == 2);
  CHECK_FALSE(find_flaw(repeated("a.", 16) + "a = 1"));
  CHECK(flawed_line("\n\n" + repeated("a.", 17) + "a = 1") == 3);
  CHECK(flawed_line("[" + repeated("a.", 17) + "a]") == 1);
}

TEST_CASE("brackets that are closed again and dots of other keys do not add up") {
  CHECK_FALSE(find_flaw("a = [" + repeated("[], {}, ", 100) + "]"));
  CHECK_FALSE(find_flaw("a = [" + repeated("1.5, ", 100) + "]"));
  CHECK_FALSE(find_flaw(repeated("a.b.c = 1\n", 100)));
}

TEST_CASE("what stands in strings and comments does not count") {
  const std::string deep = repeated("[", 50) + repeated(".", 50);
  CHECK_FALSE(find_flaw("# " + deep));
  CHECK_FALSE(find_flaw("a = \"" + deep + "\""));
  CHECK_FALSE(find_flaw("a = '" + deep + "'"));
  CHECK_FALSE(find_flaw("a = \"\\\"" + deep + "\""));
  CHECK_FALSE(find_flaw("a = \"\"\"\n\"" + deep + "\n\"\"\""));
  CHECK_FALSE(find_flaw("a = '''\n''" + deep + "\n'''"));
}

TEST_CASE("what stands behind a string counts again") {
  const std::string deep = repeated("[", 17);
  for (const char* string : {"\"\"", "''", "\"x\"", "\"\\\\\"", "'\\'", "\"\"\"\"\"\"", "\"\"\"x\"\"\"\"\"", "''''''",
                             "\"\"\"\n\"\"\"\"", "'''x'''''"}) {
    CAPTURE(string);
    CHECK(flawed_line("a = " + std::string(string) + "\nb = " + deep) > 0);
  }
}

TEST_CASE("a file nested half a million deep is refused and not run into the stack's end") {
  CHECK_FALSE(parse_settings(repeated("a.", 500'000) + "a = 1", "nemo.toml").ok());
  CHECK_FALSE(parse_settings("a = " + repeated("[", 500'000), "nemo.toml").ok());
  CHECK_FALSE(parse_settings("a = " + repeated("{a = ", 200'000), "nemo.toml").ok());
  CHECK_FALSE(parse_settings("[" + repeated("a.", 500'000) + "a]", "nemo.toml").ok());
}

TEST_CASE("a file of more than a mebibyte is refused") {
  const auto settings = parse_settings(repeated("# filler\n", 200'000), "nemo.toml");
  REQUIRE_FALSE(settings.ok());
  CHECK(settings.error().message.find("1 MiB") != std::string::npos);
}

}  // namespace nemo::test::toml_precheck_test
