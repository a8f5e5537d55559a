#include "cli/commands/arms.h"

#include <doctest/doctest.h>

namespace nemo::test::arms_test {

using namespace nemo;
using namespace nemo::cli::commands;

TEST_CASE("arms are models with weights; a model's name may hold an equals sign") {
  const auto arms = parse_arms("gemini-2.5-flash=50,a=b=3,c=0");
  REQUIRE(arms.ok());
  REQUIRE(arms->size() == 3);
  CHECK(arms->at(0).model == "gemini-2.5-flash");
  CHECK(arms->at(0).weight == 50);
  CHECK(arms->at(1).model == "a=b");
  CHECK(arms->at(1).weight == 3);
  CHECK(arms->at(2).weight == 0);
}

TEST_CASE("arms that are not a model and a whole number each are refused with the one at fault") {
  for (const char* text :
       {"", "a", "a=", "=5", "a=5,", ",a=5", "a=5,,b=5", "a=half", "a=5.5", "a=5%", "a= 5", "a=99999999999999999999"}) {
    CAPTURE(text);
    const auto arms = parse_arms(text);
    REQUIRE_FALSE(arms.ok());
    CHECK(arms.error().kind == ErrorKind::invalid_request);
    CHECK(arms.error().param == "arms");
  }
  CHECK(parse_arms("a=5,b=half").error().message.find("\"b=half\"") != std::string::npos);
}

TEST_CASE("a weight below zero is passed on, for the daemon to refuse") {
  CHECK(parse_arms("a=-5")->front().weight == -5);
}

TEST_CASE("arms are shown with their shares of all weights") {
  CHECK(describe_arms({{"a", 1}, {"b", 3}}) == "a 25 %, b 75 %");
  CHECK(describe_arms({{"a", 0}}) == "a 0 %");
}

}  // namespace nemo::test::arms_test
