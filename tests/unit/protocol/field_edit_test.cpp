#include "daemon/protocol/field_edit.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace nemo::test::field_edit_test {

using nemo::protocol::FieldEdit;
using nemo::protocol::quote_json;
using nemo::protocol::RequestBody;

namespace {

RequestBody body_of(std::string bytes) {
  auto body = RequestBody::parse(std::move(bytes));
  REQUIRE(body.ok());
  return std::move(*body);
}

std::string set(std::string bytes, const char* key, const char* value) {
  FieldEdit edit;
  edit.set(key, value);
  return edit.apply(body_of(std::move(bytes)));
}

std::string remove(std::string bytes, const std::vector<const char*>& keys) {
  FieldEdit edit;
  for (const char* key : keys) edit.remove(key);
  return edit.apply(body_of(std::move(bytes)));
}

}  // namespace

TEST_CASE("replacing a value leaves every other byte as it came") {
  CHECK(set("{ \"a\" : 1 ,\t\"model\" :\"x\", \"z\":[ 1 ] }\n", "model", "\"y\"") ==
        "{ \"a\" : 1 ,\t\"model\" :\"y\", \"z\":[ 1 ] }\n");
  CHECK(set(R"({"mod\u0065l":"x"})", "model", "\"y\"") == R"({"mod\u0065l":"y"})");
}

TEST_CASE("a new field goes behind the last") {
  CHECK(set("{\"a\":1}", "b", "2") == "{\"a\":1,\"b\":2}");
  CHECK(set("{ \"a\":1 }", "b", "2") == "{ \"a\":1,\"b\":2 }");
  CHECK(set("{}", "b", "2") == "{\"b\":2}");
  CHECK(set(" { } ", "b", "2") == " {\"b\":2 } ");
}

TEST_CASE("the commas are right wherever a field is taken away") {
  const std::string abc = "{ \"a\":1 , \"b\":2, \"c\":3 }";
  CHECK(remove(abc, {"a"}) == "{ \"b\":2, \"c\":3 }");
  CHECK(remove(abc, {"b"}) == "{ \"a\":1, \"c\":3 }");
  CHECK(remove(abc, {"c"}) == "{ \"a\":1 , \"b\":2 }");
  CHECK(remove(abc, {"a", "b"}) == "{ \"c\":3 }");
  CHECK(remove(abc, {"b", "c"}) == "{ \"a\":1 }");
  CHECK(remove(abc, {"a", "c"}) == "{ \"b\":2 }");
  CHECK(remove(abc, {"a", "b", "c"}) == "{  }");
  CHECK(remove(abc, {"x"}) == abc);
}

TEST_CASE("taking all away and adding one works together") {
  FieldEdit edit;
  edit.remove("a");
  edit.set("b", "2");
  CHECK(edit.apply(body_of("{\"a\":1}")) == "{\"b\":2}");
}

TEST_CASE("the last change to a field counts") {
  FieldEdit edit;
  CHECK(edit.empty());
  edit.set("a", "1");
  edit.set("a", "2");
  CHECK(edit.apply(body_of("{}")) == "{\"a\":2}");
  edit.remove("a");
  CHECK_FALSE(edit.empty());
  CHECK(edit.apply(body_of("{\"a\":0}")) == "{}");
}

TEST_CASE("an edit of a random object is what a JSON tree says, and touches nothing else") {
  std::mt19937 random(11);
  const std::vector<std::string> spaces{"", " ", "\n", "\t "};
  const std::vector<std::string> values{"1", "\"a,}\\\"\"", "[1, {\"k\":2}]", "{ \"a\" : null }", "true", "null"};
  const auto space = [&] { return spaces[random() % spaces.size()]; };
  for (int round = 0; round < 3000; ++round) {
    std::string text = space() + "{" + space();
    const std::size_t count = random() % 6;
    for (std::size_t i = 0; i < count; ++i) {
      if (i != 0) text += "," + space();
      text += "\"k" + std::to_string(i) + "\"" + space() + ":" + space() + values[random() % values.size()] + space();
    }
    text += "}" + space();
    auto expected = nlohmann::ordered_json::parse(text);
    FieldEdit edit;
    for (int i = 0; i < 4; ++i) {
      const std::string key = "k" + std::to_string(random() % 8);
      if (random() % 2 == 0) {
        edit.remove(key);
        expected.erase(key);
      } else {
        const std::string value = values[random() % values.size()];
        edit.set(key, value);
        expected[key] = nlohmann::ordered_json::parse(value);
      }
    }
    CAPTURE(text);
    const std::string edited = edit.apply(body_of(text));
    CAPTURE(edited);
    REQUIRE(nlohmann::json::accept(edited));
    CHECK(nlohmann::json::parse(edited) == nlohmann::json::parse(expected.dump()));
    CHECK(FieldEdit().apply(body_of(text)) == text);
  }
}

TEST_CASE("quoted text is JSON that reads back") {
  for (const std::string& text : {std::string("plain"), std::string("\"\\/\b\f\n\r\t"), std::string("\x01\x1f\x7f"),
                                  std::string("nul\0in", 6), std::string("h\xC3\xA9 \xF0\x9F\x98\x80")}) {
    CHECK(nlohmann::json::parse(quote_json(text)).get<std::string>() == text);
  }
}

TEST_CASE("bytes that are not UTF-8 are replaced when text is quoted") {
  CHECK(quote_json("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
  CHECK(quote_json("\xC3") == "\"\xEF\xBF\xBD\"");
  CHECK(quote_json("\xF0\x9F\x98") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(quote_json("\xC0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace nemo::test::field_edit_test
