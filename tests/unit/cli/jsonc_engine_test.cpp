// Editing JSON with comments.
#include "cli/editors/jsonc_engine.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace nemo::test::jsonc_engine_test {

using namespace nemo;
using namespace nemo::cli::editors;
using admin::Json;

namespace {

std::string put(const std::string& text, const Path& path, const Json& value) {
  const auto edited = k_jsonc_engine.put(text, path, value);
  const std::string fault = edited ? "" : edited.error().message;
  CAPTURE(fault);
  REQUIRE(edited.ok());
  return *edited;
}

// There and back again, with what depth() said before.
std::string round_trip(const std::string& text, const Path& path, const Json& value) {
  const auto kept = k_jsonc_engine.depth(text, path);
  REQUIRE(kept.ok());
  const auto taken = k_jsonc_engine.take_out(put(text, path, value), path, *kept);
  REQUIRE(taken.ok());
  return *taken;
}

std::string fault_of(const std::string& text) {
  const auto edited = k_jsonc_engine.put(text, {"a"}, 1);
  return edited ? "" : edited.error().message;
}

const std::string k_settings = R"({
  // fonts
  "editor.fontSize": 14, // large
  "nested": {
    "a": [1, 2, /* three */ 3,],
  },
  /* the end */
  "last": true // no comma here
  // a comment of its own
}
)";

}  // namespace

TEST_CASE("a new JSONC member goes behind the last one; comments, order and indentation stay") {
  CHECK(put(k_settings, {"url"}, "http://x") == R"({
  // fonts
  "editor.fontSize": 14, // large
  "nested": {
    "a": [1, 2, /* three */ 3,],
  },
  /* the end */
  "last": true, // no comma here
  // a comment of its own
  "url": "http://x"
}
)");
}

TEST_CASE("a JSONC trailing comma stays the style of its object") {
  CHECK(put("{\n    \"a\": 1,\n}\n", {"b"}, 2) == "{\n    \"a\": 1,\n    \"b\": 2,\n}\n");
}

TEST_CASE("objects that are missing on the way are made, in the file's own indentation") {
  CHECK(put("{\n\t\"a\": 1\n}\n", {"env", "URL"}, "u") == "{\n\t\"a\": 1,\n\t\"env\": {\n\t\t\"URL\": \"u\"\n\t}\n}\n");
  CHECK(put("{}\n", {"env", "URL"}, "u") == "{\n  \"env\": {\n    \"URL\": \"u\"\n  }\n}\n");
  CHECK(put("", {"a"}, 1) == "{\n  \"a\": 1\n}\n");
  CHECK(put("// nothing yet\n", {"a"}, 1) == "// nothing yet\n{\n  \"a\": 1\n}\n");
  CHECK(put("{\"a\": 1}", {"b"}, 2) == "{\"a\": 1, \"b\": 2}");
}

TEST_CASE("line ends of a JSONC file stay what they are") {
  CHECK(put("{\r\n  \"a\": 1\r\n}\r\n", {"b", "c"}, 2) ==
        "{\r\n  \"a\": 1,\r\n  \"b\": {\r\n    \"c\": 2\r\n  }\r\n}\r\n");
}

TEST_CASE("a JSONC value is replaced where it stands, and not when it is there already") {
  CHECK(put("{ \"a\" : 1 /* x */ }", {"a"}, "2") == "{ \"a\" : \"2\" /* x */ }");
  const std::string spaced = "{ \"a\" : [1 ,2] }";
  CHECK(put(spaced, {"a"}, Json{1, 2}) == spaced);
  const std::string once = put(k_settings, {"nested", "b"}, Json{{"c", {1, 2}}});
  CHECK(put(once, {"nested", "b"}, Json{{"c", {1, 2}}}) == once);
}

TEST_CASE("of a JSONC name that is there twice, the one that counts is changed") {
  CHECK(put("{\"a\": 1, \"a\": 2}", {"a"}, 3) == "{\"a\": 1, \"a\": 3}");
}

TEST_CASE("what was put into JSONC comes out again, byte for byte") {
  for (const std::string& text :
       {k_settings, std::string("{\n\t\"a\": 1\n}"), std::string("{\"a\": 1, }"), std::string("{\"a\":1}"),
        std::string("{\r\n  \"a\": 1, // x\r\n}\r\n"), std::string("{\n}\n"), std::string("{ // c\n}\n")}) {
    CAPTURE(text);
    CHECK(round_trip(text, {"new"}, "v") == text);
    CHECK(round_trip(text, {"new", "deep", "er"}, Json{{"x", {1, 2}}}) == text);
  }
  CHECK(round_trip(k_settings, {"nested", "new"}, "v") == k_settings);
}

TEST_CASE("a JSONC value that was replaced is put back as it was written") {
  const std::string text = "{ \"a\" : { \"b\": 1, /* c */ } }";
  const auto before = k_jsonc_engine.find(text, {"a"});
  REQUIRE(before.ok());
  CHECK(**before == "{ \"b\": 1, /* c */ }");
  CHECK(*k_jsonc_engine.put_back(put(text, {"a"}, 1), {"a"}, **before) == text);
}

TEST_CASE("only what is left empty by us goes with the JSONC value") {
  const std::string text = "{\n  \"env\": {\n    \"OURS\": 1\n  }\n}\n";
  CHECK(*k_jsonc_engine.take_out(text, {"env", "OURS"}, 1) == "{\n  \"env\": {\n  }\n}\n");
  CHECK(*k_jsonc_engine.take_out(text, {"env", "OURS"}, 0) == "{\n}\n");
}

TEST_CASE("malformed JSONC is refused with its line") {
  CHECK(fault_of("{\n  \"b\": 1\n  \"c\": 2\n}").find("line 3: a comma is missing") == 0);
  CHECK(fault_of("{\n  \"b\": \n}").find("line 3") == 0);
  CHECK(fault_of("{ \"b\": 1 } x").find("something follows") != std::string::npos);
  CHECK(fault_of("{ /* \"b\": 1 }").find("a comment does not end") != std::string::npos);
  CHECK(fault_of("{ \"b: 1 }").find("does not end") != std::string::npos);
  CHECK(fault_of("[1]").find("an object {…} is expected") != std::string::npos);
  CHECK(fault_of(std::string(100, '[')).find("64 deep") != std::string::npos);
  CHECK(fault_of("{ \"b\": undefined }").find("a value is expected") != std::string::npos);
}

}  // namespace nemo::test::jsonc_engine_test
