#include "daemon/protocol/request_body.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace nemo::test::request_body_test {

using nemo::ErrorKind;
using nemo::protocol::Items;
using nemo::protocol::RequestBody;

namespace {

std::string refusal(std::string bytes) {
  const auto body = RequestBody::parse(std::move(bytes));
  REQUIRE_FALSE(body.ok());
  CHECK(body.error().kind == ErrorKind::invalid_request);
  return body.error().message;
}

bool mentions(const std::string& message, std::string_view part) {
  return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("fields are the exact bytes of the body, with their places") {
  const std::string bytes = "{ \"model\" : \"m\" ,\n \"n\":[ 1, 2 ] }\n";
  const auto body = RequestBody::parse(bytes);
  REQUIRE(body.ok());
  CHECK(body->bytes() == bytes);
  REQUIRE(body->fields().size() == 2);
  const auto& model = body->fields()[0];
  CHECK(model.key == "model");
  CHECK(model.value == "\"m\"");
  CHECK(bytes.substr(model.begin, model.end - model.begin) == "\"model\" : \"m\"");
  CHECK(body->find("n")->value == "[ 1, 2 ]");
  CHECK(body->find("N") == nullptr);
}

TEST_CASE("fields stay valid when the body is moved, however short it is") {
  auto parsed = RequestBody::parse("{\"a\":1}");
  REQUIRE(parsed.ok());
  std::vector<RequestBody> bodies;
  bodies.push_back(std::move(*parsed));
  auto other = RequestBody::parse("{\"b\":2}");
  REQUIRE(other.ok());
  bodies.push_back(std::move(*other));
  const RequestBody moved = std::move(bodies[0]);
  CHECK(moved.fields()[0].key == "a");
  CHECK(moved.find("a")->value == "1");
  CHECK(moved.find("a")->value.data() == moved.bytes().data() + 5);
}

TEST_CASE("a list tells what its items are and how many") {
  const auto body = RequestBody::parse(
      R"({"o":[{},{"a":[1]}],"t":["a","b","c"],"n":[1,-2],"l":[[1],[2]],"m":[1,"a"],"b":[true],"e":[],"x":{}})");
  REQUIRE(body.ok());
  const auto items = [&](std::string_view key) { return body->find(key)->items; };
  CHECK(items("o") == Items::objects);
  CHECK(items("t") == Items::texts);
  CHECK(items("n") == Items::numbers);
  CHECK(items("l") == Items::lists);
  CHECK(items("m") == Items::mixed);
  CHECK(items("b") == Items::mixed);
  CHECK(items("e") == Items::none);
  CHECK(items("x") == Items::none);
  CHECK(body->find("t")->item_count == 3);
}

TEST_CASE("a key with escapes is the key that it spells") {
  const auto body = RequestBody::parse(R"({"mod\u0065l":"m"})");
  REQUIRE(body.ok());
  REQUIRE(body->find("model") != nullptr);
  CHECK(body->find("model")->key == "mod\\u0065l");
}

TEST_CASE("a key given twice is refused, escaped or not, and named") {
  CHECK(mentions(refusal(R"({"a":1,"model":"x","model":"y"})"), "\"model\" is given twice"));
  CHECK(mentions(refusal(R"({"model":"x","mod\u0065l":"y"})"), "\"model\" is given twice"));
  CHECK(RequestBody::parse(R"({"a":{"x":1},"b":{"x":1,"x":2}})").ok());
}

TEST_CASE("malformed JSON is refused wherever it is, with its byte") {
  CHECK(mentions(refusal("{\"a\":1"), "ends too early at byte 6"));
  CHECK(mentions(refusal("{\"a\":{\"b\":[1,{\"c\":tru}]}}"), "at byte 18"));
  CHECK(mentions(refusal("{\"a\":01}"), "a bad number at byte 6"));
  CHECK(mentions(refusal("{\"a\":1} x"), "text behind the end of the object at byte 8"));
  CHECK(mentions(refusal("{\"a\":1}{}"), "at byte 7"));
  CHECK(mentions(refusal("{\"a\":\"x\ny\"}"), "a control character inside a text at byte 7"));
  CHECK(mentions(refusal("nonsense"), "at byte 0"));
}

TEST_CASE("bytes that are not UTF-8 are refused with their place") {
  CHECK(mentions(refusal("{\"a\":\"\xC3\x28\"}"), "not UTF-8 at byte 6"));
  CHECK(mentions(refusal("{\"a\":\"\xC3\xA9\xED\xA0\x80\"}"), "not UTF-8 at byte 8"));
  CHECK(mentions(refusal("{\"a\":\"\xF8\"}"), "not UTF-8 at byte 6"));
}

TEST_CASE("only an object is a body") {
  CHECK(mentions(refusal("[]"), "must be a JSON object"));
  CHECK(mentions(refusal("\"text\""), "must be a JSON object"));
  CHECK(mentions(refusal(""), "empty"));
  CHECK(mentions(refusal(" \n"), "empty"));
}

TEST_CASE("hostile bodies meet a bound") {
  CHECK(mentions(refusal("{\"a\":" + std::string(1'000'000, '[')), "nested too deeply"));
  std::string many = "{";
  for (int i = 0; i < 100'000; ++i) many += "\"k" + std::to_string(i) + "\":0,";
  many += "\"z\":0}";
  CHECK(mentions(refusal(many), "too many fields"));
  CHECK(mentions(refusal("{\"" + std::string(2000, 'k') + "\":0}"), "too long"));
}

TEST_CASE("numbers of any size and half surrogate pairs pass, for the bytes go on as they are") {
  CHECK(RequestBody::parse(R"({"seed":123456789012345678901234567890,"t":1e999,"s":"\ud83d"})").ok());
}

TEST_CASE("a large body is read whole") {
  std::string bytes = R"({"messages":[{"role":"user","content":")" + std::string(3'000'000, 'a') + "\"}]}";
  const auto body = RequestBody::parse(bytes);
  REQUIRE(body.ok());
  CHECK(body->find("messages")->value.size() == bytes.size() - 13);
}

}  // namespace nemo::test::request_body_test
