#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/vertex.h"

namespace nemo::test::vertex_embeddings_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using nemo::Result;
using nemo::call::Usage;
using nemo::call::UsageSource;
using Json = nlohmann::json;

namespace {

using Translate = Result<std::string> (*)(const RequestBody&, const nemo::call::CallSpec&);
using Answer = Result<std::string> (*)(std::string_view, const RequestBody&, std::string_view);

Result<std::string> translate(Translate by, const std::string& bytes) {
  const auto body = RequestBody::parse(bytes);
  CAPTURE(bytes);
  REQUIRE(body.ok());
  const auto spec = parse_embeddings(*body);
  REQUIRE(spec.ok());
  return by(*body, *spec);
}

std::string sent(Translate by, const std::string& bytes) {
  const auto request = translate(by, bytes);
  CAPTURE(bytes);
  REQUIRE(request.ok());
  return *request;
}

nemo::Error refusal(Translate by, const std::string& bytes) {
  const auto request = translate(by, bytes);
  CAPTURE(bytes);
  REQUIRE_FALSE(request.ok());
  CHECK(request.error().kind == ErrorKind::invalid_request);
  CHECK(request.error().message.find(request.error().param) == 0);
  return request.error();
}

Result<std::string> answer(Answer by, const std::string& upstream, const std::string& request) {
  const auto body = RequestBody::parse(request);
  REQUIRE(body.ok());
  return by(upstream, *body, "text-embedding-005");
}

Json answered(Answer by, const std::string& upstream, const std::string& request) {
  const auto embeddings = answer(by, upstream, request);
  CAPTURE(upstream);
  REQUIRE(embeddings.ok());
  CAPTURE(*embeddings);
  REQUIRE(Json::accept(*embeddings));
  return Json::parse(*embeddings);
}

std::string texts(std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "\"t\"" : ",\"t\"");
  return R"({"input":[)" + list + "]}";
}

const std::string k_two = R"({"input":["a","b"]})";
const std::string k_predicted = R"({
  "predictions": [
    {"embeddings": {"statistics": {"truncated": false, "token_count": 4}, "values": [0.5, -1.25e-2,
      0]}},
    {"embeddings": {"values": [1, 2, 3], "statistics": {"token_count": 3.0}}}
  ],
  "metadata": {"billableCharacterCount": 2}
})";

}  // namespace

TEST_CASE("every text becomes an instance, byte for byte") {
  CHECK(sent(embeddings_request_to_predict, R"({"model":"m","input":"caf\u00e9\n","user":"u","nemo_tags":["x"]})") ==
        R"({"instances":[{"content":"caf\u00e9\n"}]})");
  CHECK(sent(embeddings_request_to_predict, R"({"input":["a", "b"],"dimensions":256})") ==
        R"({"instances":[{"content":"a"},{"content":"b"}],"parameters":{"outputDimensionality":256}})");
}

TEST_CASE("one text goes into embedContent, and the dimensions with it") {
  CHECK(sent(embeddings_request_to_embed_content, R"({"model":"m","input":["a\tb"],"user":"u","dimensions":null})") ==
        R"({"content":{"parts":[{"text":"a\tb"}]}})");
  CHECK(sent(embeddings_request_to_embed_content, R"({"input":"a","dimensions":768})") ==
        R"({"content":{"parts":[{"text":"a"}]},"embedContentConfig":{"outputDimensionality":768}})");
}

TEST_CASE("predict takes 250 texts and no more") {
  CHECK(Json::parse(sent(embeddings_request_to_predict, texts(250)))["instances"].size() == 250);
  const nemo::Error error = refusal(embeddings_request_to_predict, texts(251));
  CHECK(error.param == "input");
  CHECK(error.message.find("250") != std::string::npos);
  CHECK(error.message.find("251") != std::string::npos);
}

TEST_CASE("several texts for embedContent are refused with the advice to send one call each") {
  const nemo::Error error = refusal(embeddings_request_to_embed_content, k_two);
  CHECK(error.param == "input");
  CHECK(error.message.find("send one call each") != std::string::npos);
}

TEST_CASE("tokens and what is no dimension or format are refused before anything goes up") {
  for (const Translate by : {embeddings_request_to_predict, embeddings_request_to_embed_content}) {
    CHECK(refusal(by, R"({"input":[1,2]})").param == "input");
    CHECK(refusal(by, R"({"input":[1,2]})").message.find("send text") != std::string::npos);
    CHECK(refusal(by, R"({"input":[[1],[2]]})").param == "input");
    CHECK(refusal(by, R"({"input":"a","dimensions":0})").param == "dimensions");
    CHECK(refusal(by, R"({"input":"a","dimensions":"256"})").param == "dimensions");
    CHECK(refusal(by, R"({"input":"a","encoding_format":"hex"})").param == "encoding_format");
    CHECK(refusal(by, R"({"input":"a","encoding_format":1})").param == "encoding_format");
  }
}

TEST_CASE("predictions become a list of embeddings in their order, tokens added up") {
  CHECK(answered(predict_answer_to_embeddings, k_predicted, k_two) == Json::parse(R"({"object":"list","data":[
          {"object":"embedding","index":0,"embedding":[0.5,-0.0125,0]},
          {"object":"embedding","index":1,"embedding":[1,2,3]}],
          "model":"text-embedding-005","usage":{"prompt_tokens":7,"total_tokens":7}})"));
}

TEST_CASE("the numbers of an embedding go over digit for digit, without the white space between them") {
  const auto text = answer(predict_answer_to_embeddings, k_predicted, k_two);
  REQUIRE(text.ok());
  CHECK(text->find("[0.5,-1.25e-2,0]") != std::string::npos);
}

TEST_CASE("an embedding asked for in base64 is 32-bit floats, little end first") {
  const std::string two = R"({"input":["a","b"],"encoding_format":"base64"})";
  const Json data = answered(predict_answer_to_embeddings, k_predicted, two)["data"];
  CHECK(data[0]["embedding"] == "AAAAP83MTLwAAAAA");  // struct.pack("<3f", 0.5, -0.0125, 0)
  CHECK(data[1]["embedding"] == "AACAPwAAAEAAAEBA");
  // Four and eight bytes do not fill their last group.
  const std::string one = R"({"input":"a","encoding_format":"base64"})";
  const auto packed = [&](const std::string& values) {
    return answered(embed_content_answer_to_embeddings, "{\"embedding\":{\"values\":" + values + "}}",
                    one)["data"][0]["embedding"];
  };
  CHECK(packed("[1]") == "AACAPw==");
  CHECK(packed("[1,2]") == "AACAPwAAAEA=");
  CHECK(packed("[]") == "");
  CHECK(packed("[1e-60]") == "AAAAAA==");
}

TEST_CASE("encoding_format float is what comes by itself") {
  CHECK(answered(predict_answer_to_embeddings, k_predicted, R"({"input":["a","b"],"encoding_format":"float"})") ==
        answered(predict_answer_to_embeddings, k_predicted, k_two));
}

TEST_CASE("an embedContent answer becomes a list of one") {
  CHECK(answered(embed_content_answer_to_embeddings,
                 R"({"embedding":{"values":[0.25,1]},"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5}})",
                 R"({"input":"a"})") ==
        Json::parse(R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.25,1]}],
          "model":"text-embedding-005","usage":{"prompt_tokens":5,"total_tokens":5}})"));
}

TEST_CASE("fewer or more embeddings than texts are an upstream error") {
  for (const char* request : {R"({"input":"a"})", R"({"input":["a","b","c"]})"}) {
    const auto embeddings = answer(predict_answer_to_embeddings, k_predicted, request);
    REQUIRE_FALSE(embeddings.ok());
    CHECK(embeddings.error().kind == ErrorKind::upstream_error);
  }
}

TEST_CASE("an answer of another kind is said to be one") {
  const auto embeddings = answer(predict_answer_to_embeddings, R"({"error":{"code":500}})", k_two);
  REQUIRE_FALSE(embeddings.ok());
  CHECK(embeddings.error().message.find("no predictions") != std::string::npos);
}

TEST_CASE("an answer that holds no vector is an upstream error, never a broken success") {
  for (const std::string& upstream :
       {std::string("x"), std::string("[]"), std::string("{}"), std::string(R"({"error":{"code":500}})"),
        std::string(R"({"predictions":[7]})"), std::string(R"({"predictions":[{"embeddings":{}}]})"),
        std::string(R"({"predictions":[{"embeddings":{"values":{}}}]})"),
        std::string(R"({"predictions":[{"embeddings":{"values":[1,"2"]}}]})"), std::string(R"({"predictions":[)")}) {
    CAPTURE(upstream);
    for (const char* request : {R"({"input":"a"})", R"({"input":"a","encoding_format":"base64"})"}) {
      const auto embeddings = answer(predict_answer_to_embeddings, upstream, request);
      REQUIRE_FALSE(embeddings.ok());
      CHECK(embeddings.error().kind == ErrorKind::upstream_error);
    }
  }
  for (const char* upstream : {"x", "{}", R"({"embedding":7})", R"({"embedding":{"values":"v"}})",
                               R"({"embedding":{"values":[null]}})", R"({"embedding":{"values":[1]})"}) {
    CAPTURE(upstream);
    CHECK_FALSE(answer(embed_content_answer_to_embeddings, upstream, R"({"input":"a"})").ok());
  }
  CHECK_FALSE(answer(embed_content_answer_to_embeddings, R"({"embedding":{"values":[1e39]}})",
                     R"({"input":"a","encoding_format":"base64"})")
                  .ok());
}

TEST_CASE("embeddings are billed by the input tokens that Google counted, and by nothing else") {
  const auto predicted = read_predict_facts(k_predicted);
  REQUIRE(predicted);
  CHECK(predicted->usage == Usage{7, 0, 0, 0, UsageSource::provider});
  CHECK_FALSE(predicted->is_error);
  CHECK(predicted->content_bytes == 0);
  const auto embedded =
      read_embed_content_facts(R"({"usageMetadata":{"promptTokenCount":5},"embedding":{"values":[1]}})");
  REQUIRE(embedded);
  CHECK(embedded->usage == Usage{5, 0, 0, 0, UsageSource::provider});
  CHECK_FALSE(embedded->is_error);
}

TEST_CASE("tokens that only some predictions state are no usage: a sum of them would be too low") {
  CHECK_FALSE(read_predict_facts(
                  R"({"predictions":[{"embeddings":{"values":[1],"statistics":{"token_count":4}}},
                      {"embeddings":{"values":[1]}}]})")
                  ->usage);
  CHECK_FALSE(read_predict_facts(R"({"predictions":[]})")->usage);
  for (const char* count : {"-1", "\"4\"", "1e3", "99999999999999", "null"}) {
    CAPTURE(count);
    const std::string number(count);
    CHECK_FALSE(
        read_predict_facts(R"({"predictions":[{"embeddings":{"statistics":{"token_count":)" + number + "}}}]}")->usage);
    CHECK_FALSE(
        read_embed_content_facts(R"({"embedding":{},"usageMetadata":{"promptTokenCount":)" + number + "}}")->usage);
  }
}

TEST_CASE("an error inside a 200 is seen, and what is no JSON object has no facts") {
  for (const auto read : {read_predict_facts, read_embed_content_facts}) {
    CHECK(read(R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}})")->is_error);
    CHECK_FALSE(read(R"({"error":null})")->is_error);
    CHECK_FALSE(read(R"({"error":"m","predictions":[],"embedding":{"values":[]}})")->is_error);
    for (const char* bytes : {"", "[]", "x", "{", R"([{"error":{"code":429}}])", "{} x"}) {
      CAPTURE(bytes);
      CHECK_FALSE(read(bytes));
    }
  }
}

}  // namespace nemo::test::vertex_embeddings_test
