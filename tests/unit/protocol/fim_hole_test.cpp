#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/fim/hole.h"

namespace nemo::test::fim_hole_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using nemo::call::FimForm;
using Json = nlohmann::json;

namespace {

RequestBody body_of(const std::string& bytes) {
  CAPTURE(bytes);
  auto body = RequestBody::parse(bytes);
  REQUIRE(body.ok());
  return std::move(*body);
}

std::optional<FimPrompt> found(const RequestBody& body) {
  auto hole = find_hole(body);
  REQUIRE(hole.ok());
  return *hole;
}

Json told(FimForm form, const std::string& bytes) {
  const RequestBody body = body_of(bytes);
  const auto hole = found(body);
  REQUIRE(hole);
  REQUIRE_FALSE(is_told_in(form, *hole, body));
  return Json::parse(tell_hole(form, *hole, body));
}

bool passes(FimForm form, const std::string& bytes) {
  const RequestBody body = body_of(bytes);
  const auto hole = found(body);
  REQUIRE(hole);
  return is_told_in(form, *hole, body);
}

}  // namespace

TEST_CASE("a hole is a suffix beside a prompt, a rendered prompt, or a prompt with files") {
  CHECK(found(body_of(R"({"prompt":"a\n","suffix":"é"})")) == FimPrompt{FimForm::suffix, "a\n", "é"});
  CHECK(found(body_of(R"({"prompt":"a","suffix":""})")) == FimPrompt{FimForm::suffix, "a", ""});
  CHECK(found(body_of(R"({"prompt":["<PRE> a <SUF>b <MID>"]})")) == FimPrompt{FimForm::codellama, "a", "b"});
  CHECK(found(body_of(R"({"prompt":"a","nemo_files":[{"path":"x","content":"y"}]})")) ==
        FimPrompt{FimForm::suffix, "a", "", {{"x", "y"}}});
}

TEST_CASE("marks are found however the client's JSON writes them") {
  CHECK(found(body_of(R"({"prompt":"\u003cfim_prefix\u003ea\u003cfim_suffix\u003eb\u003cfim_middle\u003e"})")) ==
        FimPrompt{FimForm::starcoder, "a", "b"});
  CHECK(found(body_of(
            R"({"prompt":"<\uff5cfim\u2581begin\uff5c>a<\uff5cfim\u2581hole\uff5c>b<\uff5cfim\u2581end\uff5c>"})")) ==
        FimPrompt{FimForm::deepseek, "a", "b"});
}

TEST_CASE("what is no hole is none: plain prompts, several prompts, tokens") {
  for (const char* bytes : {R"({"prompt":"a"})", R"({"prompt":"a","suffix":null})", R"({"prompt":[1,2]})",
                            R"({"prompt":["a","b"],"suffix":"c"})", R"({"prompt":"the <fim_middle> mark"})"}) {
    CAPTURE(bytes);
    CHECK_FALSE(found(body_of(bytes)));
  }
}

TEST_CASE("files that are not what they should be are refused, and named") {
  for (const char* files : {"5", "{}", "[1]", R"([{"path":"a"}])", R"([{"content":1}])", R"(["a"])"}) {
    CAPTURE(files);
    const auto hole = find_hole(body_of(R"({"prompt":"a","nemo_files":)" + std::string(files) + "}"));
    REQUIRE_FALSE(hole.ok());
    CHECK(hole.error().kind == ErrorKind::invalid_request);
    CHECK(hole.error().param == "nemo_files");
  }
}

TEST_CASE("what is told in the model's own way passes") {
  CHECK(passes(FimForm::suffix, R"({"prompt":"a","suffix":"b"})"));
  CHECK(passes(FimForm::qwen, R"({"prompt":"<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"})"));
  CHECK(passes(FimForm::none, R"({"prompt":"<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"})"));
  CHECK_FALSE(passes(FimForm::suffix, R"({"prompt":"a","suffix":"b","nemo_files":[]})"));
}

TEST_CASE("a rendered prompt becomes prompt and suffix for a model that takes them") {
  CHECK(told(FimForm::suffix, R"({"model":"m","prompt":"<fim_prefix>a<fim_suffix>b<fim_middle>","n":2})") ==
        Json::parse(R"({"model":"m","prompt":"a","suffix":"b","n":2})"));
  CHECK(told(FimForm::suffix, R"({"prompt":"a","suffix":"","nemo_files":[]})") == Json::parse(R"({"prompt":"a"})"));
}

TEST_CASE("a hole is told with the marks of the model's family, and its stop texts stand beside the caller's") {
  const Json told_qwen = told(FimForm::qwen, R"({"prompt":"a","suffix":"b","stop":["\n\n","<|fim_pad|>"],"x":1})");
  CHECK(told_qwen["prompt"] == "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>");
  CHECK_FALSE(told_qwen.contains("suffix"));
  CHECK(told_qwen["x"] == 1);
  CHECK(told_qwen["stop"][0] == "\n\n");
  CHECK(told_qwen["stop"].size() == 10);  // nine of the family, one of them the caller's too

  const Json told_codellama =
      told(FimForm::codellama, R"({"prompt":"<fim_prefix>a<fim_suffix>b<fim_middle>","stop":"x"})");
  CHECK(told_codellama["prompt"] == "<PRE> a <SUF>b <MID>");
  CHECK(told_codellama["stop"] == Json::parse(R"(["x","<PRE>","<SUF>","<MID>","<EOT>"])"));

  CHECK(told(FimForm::qwen, R"({"prompt":"a","suffix":"b","nemo_files":[{"path":"p","content":"c"}]})")["prompt"] ==
        "<|file_sep|>p\nc\n<|file_sep|>\n<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>");
}

}  // namespace nemo::test::fim_hole_test
