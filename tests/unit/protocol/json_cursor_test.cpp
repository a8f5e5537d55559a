#include "daemon/protocol/json_cursor.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace nemo::test::json_cursor_test {

using nemo::protocol::find_member;
using nemo::protocol::JsonCursor;

namespace {

bool is_json(std::string_view text) {
  JsonCursor cursor(text);
  return cursor.skip() && cursor.at_end();
}

}  // namespace

TEST_CASE("what RFC 8259 allows is passed") {
  for (const char* text :
       {"{}", "[]", " [ ] ", "\"\"", "0", "-0", "-0.5e+7", "1E9", "true", "false", "null", "\"\\u00e9\\n\\/\\\"\"",
        "[1,[2,{\"a\":[]}],\"x\"]", "{\"a\":{\"b\":null},\"\":0}", "\t{\r\n\"a\" :\n1 }\n",
        "123456789012345678901234567890", "1e999", "\"\\ud83d\"", "\"\xC3\xA9\""}) {
    CAPTURE(text);
    CHECK(is_json(text));
  }
}

TEST_CASE("what RFC 8259 does not allow is refused") {
  const std::string nul("[\0]", 3);
  for (const std::string& text : std::vector<std::string>{"",
                                                          " ",
                                                          "{",
                                                          "[",
                                                          "{\"a\"}",
                                                          "{\"a\":}",
                                                          "{\"a\":1,}",
                                                          "{,}",
                                                          "[1,]",
                                                          "[,1]",
                                                          "[1 2]",
                                                          "{\"a\":1 \"b\":2}",
                                                          "{a:1}",
                                                          "{'a':1}",
                                                          "01",
                                                          "-",
                                                          "+1",
                                                          ".5",
                                                          "1.",
                                                          "1e",
                                                          "1e+",
                                                          "0x10",
                                                          "NaN",
                                                          "tru",
                                                          "truE",
                                                          "nul",
                                                          "nullx",
                                                          "\"",
                                                          "\"\\\"",
                                                          "\"\\x\"",
                                                          "\"\\u12g4\"",
                                                          "\"\\u12",
                                                          "\"a\nb\"",
                                                          "\"\t\"",
                                                          "[1}",
                                                          "{\"a\":1]",
                                                          "1 2",
                                                          "{} {}",
                                                          "[1]]",
                                                          "\"a\"b",
                                                          "{\"a\":1}//",
                                                          nul}) {
    CAPTURE(text);
    CHECK_FALSE(is_json(text));
  }
}

TEST_CASE("a fault tells which byte does not fit") {
  JsonCursor cursor("{\"a\":[1,2,x]}");
  CHECK_FALSE(cursor.skip());
  CHECK(cursor.fault().offset == 10);
  CHECK(std::string(cursor.fault().what) == "expected a value");
}

TEST_CASE("a control character is found at every place of a long text") {
  for (std::size_t at = 0; at < 40; ++at) {
    std::string text = "\"" + std::string(40, 'x') + "\"";
    text[at + 1] = '\x1f';
    JsonCursor cursor(text);
    CHECK_FALSE(cursor.skip());
    CHECK(cursor.fault().offset == at + 1);
    text[at + 1] = '\xff';
    CHECK(is_json(text));
  }
}

TEST_CASE("nesting has a bound") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(is_json(nested(JsonCursor::k_deepest)));
  CHECK_FALSE(is_json(nested(JsonCursor::k_deepest + 1)));
  CHECK_FALSE(is_json(std::string(1'000'000, '[')));
}

TEST_CASE("a walk stops at the first fault and stays there") {
  JsonCursor cursor("[1,?,2]");
  REQUIRE(cursor.begin_array());
  CHECK(cursor.next_element());
  CHECK(cursor.take() == "1");
  CHECK(cursor.next_element());
  CHECK(cursor.take().empty());
  CHECK_FALSE(cursor.next_element());
  CHECK_FALSE(cursor.at_end());
  CHECK(cursor.fault().offset == 3);
}

TEST_CASE("take returns the value without the white space around it") {
  JsonCursor cursor("{ \"a\" :  [ 1 , 2 ]  , \"b\":\t-1.5 }");
  REQUIRE(cursor.begin_object());
  CHECK(cursor.next_field() == "a");
  CHECK(cursor.take() == "[ 1 , 2 ]");
  CHECK(cursor.next_field() == "b");
  CHECK(cursor.take() == "-1.5");
  CHECK_FALSE(cursor.next_field());
  CHECK(cursor.at_end());
}

TEST_CASE("a member is found only at the top of the object") {
  const char* text = R"({"a":{"x":1},"x":[2],"x":3})";
  CHECK(find_member(text, "x") == "[2]");
  CHECK_FALSE(find_member(text, "y"));
  CHECK_FALSE(find_member("[1]", "x"));
  CHECK_FALSE(find_member("{\"a\":tru,\"x\":1}", "x"));
}

TEST_CASE("texts broken at random are judged as another parser judges them") {
  const std::string good = R"({"model":"a\n\"b","n":[1,-2.50,3e4,true,null],"o":{"k":"\u00e9","e":[]},"s":false} )";
  const std::string bytes = "{}[]\",:\\0123.-eE+tfn \nu";
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string text = good;
    for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = bytes[random() % bytes.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 4);
          break;
        default:
          text.insert(at, 1, bytes[random() % bytes.size()]);
      }
    }
    CAPTURE(text);
    CHECK(is_json(text) == nlohmann::json::accept(text));
  }
}

TEST_CASE("a text ends at its own quote, wherever an escape or a control falls in it") {
  for (std::size_t before = 0; before < 200; ++before) {
    CAPTURE(before);
    const std::string plain(before, 'x');
    for (const char* escape : {"\\\"", "\\\\", "\\n", "\\u00e9"}) {
      const std::string text = "\"" + plain + escape + "\"";
      JsonCursor cursor(text);
      CHECK(cursor.take() == text);
      CHECK(cursor.at_end());
      CHECK(is_json("[" + text + ",\"" + escape + plain + escape + "\"]"));
      CHECK_FALSE(is_json("\"" + plain + escape));
    }
    for (const char* bad : {"\\x", "\\u00g9", "\\", "\n", "\x1f"}) {
      CHECK_FALSE(is_json("\"" + plain + bad + "\""));
      CHECK_FALSE(is_json("\"" + plain + "\\n" + bad + "\""));
    }
    CHECK(is_json("\"" + plain + "\x7f\x20\""));
  }
}

}  // namespace nemo::test::json_cursor_test
