#include "daemon/protocol/json_text.h"

#include <doctest/doctest.h>

#include <string>

namespace nemo::test::json_text_test {

using namespace nemo::protocol;

TEST_CASE("escapes are read as they are meant") {
  CHECK(unescape(R"(a\"\\\/\b\f\n\r\tz)") == "a\"\\/\b\f\n\r\tz");
  CHECK(unescape(R"(\u0041\u00e9\u20AC\ud83d\ude00)") == "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST_CASE("half a surrogate pair becomes the replacement character") {
  const std::string replacement = "\xEF\xBF\xBD";
  CHECK(unescape(R"(\ud83d)") == replacement);
  CHECK(unescape(R"(\ude00x)") == replacement + "x");
  CHECK(unescape(R"(\ud83d\n)") == replacement + "\n");
  CHECK(unescape(R"(\ud83d\u0041)") == replacement + "A");
}

TEST_CASE("a surrogate pair that a stream cut in two is whole again once the pieces are joined") {
  CHECK(unescape(std::string(R"(a\ud83d)") + R"(\ude00b)") ==
        "a\xF0\x9F\x98\x80"
        "b");
}

TEST_CASE("a text that breaks off inside an escape is read up to there") {
  CHECK(unescape("ab\\") == "ab");
  CHECK(unescape("ab\\u12") ==
        "ab\xEF\xBF\xBD"
        "12");
}

TEST_CASE("only a value in quotes is text") {
  CHECK(read_text("\"a\"") == "a");
  CHECK_FALSE(read_text("null"));
  CHECK_FALSE(read_text("\""));
  CHECK_FALSE(read_text(""));
}

TEST_CASE("whole numbers are read exactly or not at all") {
  CHECK(read_integer("9223372036854775807") == 9223372036854775807);
  CHECK(read_integer("-12") == -12);
  CHECK(read_integer("5.00") == 5);
  for (const char* raw : {"9223372036854775808", "1.5", "1.", "1e3", "\"1\"", "", "true", "1 "}) {
    CAPTURE(raw);
    CHECK_FALSE(read_integer(raw));
  }
}

TEST_CASE("text is cut between characters") {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC";
  CHECK(cut_text(text, 6) == text);
  CHECK(cut_text(text, 5) == "a\xC3\xA9");
  CHECK(cut_text(text, 2) == "a");
  CHECK(cut_text("\x80\x80\x80", 2).empty());
}

}  // namespace nemo::test::json_text_test
