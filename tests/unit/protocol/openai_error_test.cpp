#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/openai.h"

namespace nemo::test::openai_error_test {

using namespace nemo::protocol;
using nemo::Error;
using nemo::ErrorKind;
using nemo::fail;

namespace {

std::string type_for(ErrorKind kind) {
  return nlohmann::json::parse(error_body(fail(kind, "m")))["error"]["type"].get<std::string>();
}

std::string message_of(std::string_view body) {
  return read_complaint(body).message;
}

}  // namespace

TEST_CASE("an error is one compact line with error first") {
  CHECK(
      error_body(fail(ErrorKind::invalid_request, "n must be\n\"one\"", "n")) ==
      R"({"error":{"message":"n must be\n\"one\"","type":"invalid_request_error","param":"n","code":"invalid_request"}})");
  CHECK(error_body(fail(ErrorKind::upstream_timeout, "late")) ==
        R"({"error":{"message":"late","type":"api_error","param":null,"code":"upstream_timeout"}})");
}

TEST_CASE("an error inside a stream is an event with the same body") {
  const Error error = fail(ErrorKind::upstream_error, "reset");
  CHECK(error_event(error) == "data: " + error_body(error) + "\n\n");
}

TEST_CASE("the type follows the status") {
  CHECK(type_for(ErrorKind::invalid_request) == "invalid_request_error");
  CHECK(type_for(ErrorKind::model_not_found) == "invalid_request_error");
  CHECK(type_for(ErrorKind::request_too_large) == "invalid_request_error");
  CHECK(type_for(ErrorKind::key_revoked) == "authentication_error");
  CHECK(type_for(ErrorKind::model_not_allowed) == "permission_error");
  CHECK(type_for(ErrorKind::budget_exceeded) == "budget_exceeded");
  CHECK(type_for(ErrorKind::model_not_priced) == "api_error");
  CHECK(type_for(ErrorKind::tpm_limit_exceeded) == "rate_limit_error");
  CHECK(type_for(ErrorKind::no_deployment_available) == "api_error");
}

TEST_CASE("upstream's own refusal keeps its message, type, code and param") {
  Error error = fail(ErrorKind::upstream_rejected, "ours");
  error.http_status = 400;
  error.upstream_body =
      R"({"error":{"message":"too long","type":"t","code":"context_length_exceeded","param":"messages"}})";
  CHECK(error_body(error) ==
        R"({"error":{"message":"too long","type":"t","param":"messages","code":"context_length_exceeded"}})");
  error.upstream_body = R"({"detail":"no such key"})";
  error.http_status = 401;
  CHECK(error_body(error) ==
        R"({"error":{"message":"no such key","type":"authentication_error","param":null,"code":null}})");
  error.upstream_body.clear();
  CHECK(error_body(error).find("ours") != std::string::npos);
}

TEST_CASE("complaints are understood in every shape that upstreams use") {
  const auto google = read_complaint(
      R"([{"error":{"code":429,"message":"Resource exhausted","status":"RESOURCE_EXHAUSTED","details":[{"x":1}]}}])");
  CHECK(google.message == "Resource exhausted");
  CHECK(google.code == "429");
  CHECK(google.type == "RESOURCE_EXHAUSTED");

  CHECK(message_of(R"({"error":"model 'x' not found"})") == "model 'x' not found");
  CHECK(message_of(R"({"detail":"Not authenticated"})") == "Not authenticated");
  CHECK(message_of(R"({"message":"no","code":5})") == "no");
  CHECK(message_of(R"({"error":{"error":{"message":"deep"}}})") == "deep");
  CHECK(message_of(R"({"error":null,"message":"beside"})") == "beside");

  const auto nemo = read_complaint(R"({"detail":{"error":"endpoint_not_yet_available","endpoint":"/v1/audio/speech",
    "message":"not live yet"}})");
  CHECK(nemo.message == "not live yet");
  CHECK(nemo.code == "endpoint_not_yet_available");

  const auto validation = read_complaint(
      R"({"detail":[{"loc":["body","messages",0,"role"],"msg":"field required","type":"value_error.missing"},{"msg":"b"}]})");
  CHECK(validation.message == "field required");
  CHECK(validation.param == "messages.0.role");
  CHECK(validation.type == "value_error.missing");

  const auto anthropic =
      read_complaint(R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})");
  CHECK(anthropic.message == "Overloaded");
  CHECK(anthropic.type == "overloaded_error");
}

TEST_CASE("a body in no known shape is shown from its beginning, short and in valid UTF-8") {
  CHECK(message_of("upstream connect error\n\n  or reset ") == "upstream connect error or reset");
  CHECK(message_of("<html><head><title>502 Bad Gateway</title></head>\r\n<body><h1>502</h1></body></html>") ==
        "502 Bad Gateway 502");
  const std::string message = message_of("x" + std::string(1000, '\xC3'));
  CHECK(message.size() <= 300);
  CHECK(nlohmann::json::accept("\"" + message + "\""));
  CHECK(message_of(R"({"unknown":{"shape":1}})") == R"({"unknown":{"shape":1}})");
  CHECK_FALSE(message_of("").empty());
  CHECK_FALSE(message_of("<html></html>").empty());
}

TEST_CASE("what looks like a key is taken out of every part, even where the text is cut") {
  const std::string key = "sk-abcdefghijklmnopqrstuvwxyz";
  const auto complaint = read_complaint(R"({"error":{"message":"bad )" + key + R"(","code":")" + key +
                                        "\",\"param\":\"" + key + "\",\"type\":\"" + key + "\"}}");
  for (const std::string& part : {complaint.message, complaint.code, complaint.param, complaint.type}) {
    CHECK(part.find("abcdef") == std::string::npos);
    CHECK(part.find("[redacted]") != std::string::npos);
  }
  CHECK(message_of(std::string(295, 'x') + " " + key).find("sk-a") == std::string::npos);
}

TEST_CASE("hostile error answers are bounded") {
  CHECK(message_of(R"({"error":{"message":")" + std::string(500'000, 'm') + "\"}}").size() <= 4000);
  CHECK(message_of(std::string(3'000'000, '[')).size() <= 300);
  CHECK(message_of(std::string(500'000, '[')).size() <= 300);
  CHECK(message_of(std::string(100'000, '[') + "{\"error\":\"x\"}" + std::string(100'000, ']')).size() <= 300);
}

TEST_CASE("a complaint is told to a client in the OpenAI shape") {
  CHECK(complaint_body({"m", "", "", ""}) ==
        R"({"error":{"message":"m","type":"api_error","param":null,"code":null}})");
}

TEST_CASE("model ids are read from every kind of list") {
  const auto ids = [](std::string_view body) {
    auto read = read_model_ids(body);
    REQUIRE(read.ok());
    return *read;
  };
  using List = std::vector<std::string>;
  CHECK(ids(R"({"object":"list","data":[{"id":"a"},{"id":"b","name":"B"}]})") == List{"a", "b"});
  CHECK(ids(R"({"models":[{"name":"models/a"},{"id":"b"}]})") == List{"models/a", "b"});
  CHECK(ids(R"([{"id":"a"}])") == List{"a"});
  CHECK(ids(R"({"data":[]})").empty());
  CHECK(ids(R"({"data":[{"id":"a"},{"x":1},7]})") == List{"a"});
  for (const char* body : {"", "not json", "{}", R"({"data":{}})", R"({"data":[1,2]})", "7"}) {
    CAPTURE(body);
    const auto read = read_model_ids(body);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().kind == ErrorKind::upstream_error);
  }
}

}  // namespace nemo::test::openai_error_test
