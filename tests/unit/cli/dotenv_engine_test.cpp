// Editing files of NAME=value lines.
#include "cli/editors/dotenv_engine.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace nemo::test::dotenv_engine_test {

using namespace nemo;
using namespace nemo::cli::editors;

namespace {

std::string put(const std::string& text, const std::string& name, const std::string& value) {
  const auto edited = k_dotenv_engine.put(text, {name}, value);
  REQUIRE(edited.ok());
  return *edited;
}

}  // namespace

TEST_CASE("a variable is added at the end, in the file's own way to end lines") {
  CHECK(put("", "A", "b") == "A=b\n");
  CHECK(put("# mine\nX=1\n", "A", "b") == "# mine\nX=1\nA=b\n");
  CHECK(put("X=1", "A", "b") == "X=1\nA=b");
  CHECK(put("X=1\r\n", "A", "b") == "X=1\r\nA=b\r\n");
}

TEST_CASE("the line that counts is changed: the last one; export, blanks and comments stay") {
  CHECK(put("A=1\n  export A = 2 # two\n", "A", "3") == "A=1\n  export A = 3 # two\n");
  CHECK(put("A=\"x # y\" # z\n", "A", "3") == "A=3 # z\n");
  CHECK(put("AB=1\nA.B=2\n", "A", "3") == "AB=1\nA.B=2\nA=3\n");
  CHECK(put("A='1\n2'\nB=3\n", "A", "4") == "A=4\nB=3\n");
}

TEST_CASE("a value that a reader could take for something else is quoted") {
  CHECK(put("", "A", "b c#d") == "A=\"b c#d\"\n");
  CHECK(put("", "A", "http://127.0.0.1:6366") == "A=http://127.0.0.1:6366\n");
}

TEST_CASE("a variable that was put in comes out again, byte for byte") {
  for (const std::string& text :
       {std::string(), std::string("X=1"), std::string("X=1\n\n# c\n"), std::string("X=1\r\n"), std::string("\n")}) {
    CAPTURE(text);
    CHECK(*k_dotenv_engine.take_out(put(text, "A", "b"), {"A"}, 0) == text);
    CHECK(put(put(text, "A", "b"), "A", "b") == put(text, "A", "b"));
  }
  CHECK(*k_dotenv_engine.put_back(put("A = 'x y' # c\n", "A", "b"), {"A"}, "'x y'") == "A = 'x y' # c\n");
}

TEST_CASE("what is no text of lines is refused") {
  CHECK_FALSE(k_dotenv_engine.put(std::string("A=1\0", 4), {"A"}, "b").ok());
  CHECK_FALSE(k_dotenv_engine.put(std::string(k_largest_file + 1, 'x'), {"A"}, "b").ok());
}

}  // namespace nemo::test::dotenv_engine_test
