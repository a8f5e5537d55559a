// Fill in the middle through a whole daemon: what editors send, what models are told, what editors get.
#include <doctest/doctest.h>

#include "harness.h"
#include "tests/eval_fim/evaluate.h"

namespace nemo::test::fim_test {

using namespace nemo::test;

namespace {

Rig::Options models(const std::string& toml) {
  return {"[routing]\nnum_retries = 0\n" + toml, "unpriced = \"allow\"\n", {}, false};
}

// A model of the config's own, served by the fake upstream.
std::string model(const std::string& id, const std::string& more = "") {
  return "[model.\"" + id + "\"]\n" + more + "price = { input = \"0\", output = \"0\" }\n[[deployment]]\nmodel = \"" +
         id + "\"\nupstream = \"fake\"\n";
}

// The one call that upstream has seen since the last look.
Json call_upstream(Rig& rig) {
  const Json journal = rig.upstream.journal();
  REQUIRE(journal.size() == 1);
  rig.upstream.reset();
  return {{"path", journal[0]["path"]}, {"body", Json::parse(journal[0]["body"].get<std::string>())}};
}

std::string raw_body_upstream(Rig& rig) {
  const Json journal = rig.upstream.journal();
  REQUIRE(journal.size() == 1);
  rig.upstream.reset();
  return journal[0]["body"].get<std::string>();
}

}  // namespace

TEST_CASE("holes of this repository's own sources go through every surface to every kind of upstream and back") {
  constexpr std::size_t k_some = 20;
  for (const auto& score : nemo::eval::evaluate(nemo::eval::cut_holes(NEMO_REPOSITORY, k_some, 1))) {
    CAPTURE(score.surface);
    CAPTURE(score.upstream);
    CAPTURE(score.first_miss);
    CHECK(score.asked == k_some);
    CHECK(score.reached == k_some);
    CHECK(score.returned == k_some);
  }
}

TEST_CASE("a model that only a server knows is told of holes as its name says, and a prompt in its own marks passes") {
  Rig rig(models(model("Qwen/Qwen2.5-Coder-7B") + model("qwen2.5-coder:7b")));
  CHECK(rig.post("/v1/completions", R"({"model":"Qwen/Qwen2.5-Coder-7B","prompt":"a","suffix":"b"})").status == 200);
  Json call = call_upstream(rig);
  CHECK(call["path"] == "/v1/completions");
  CHECK(call["body"]["prompt"] == "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>");
  CHECK_FALSE(call["body"].contains("suffix"));

  const std::string own =
      R"({ "model":"Qwen/Qwen2.5-Coder-7B","prompt":"<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>", "x" : 1.0 })";
  CHECK(rig.post("/v1/completions", own).status == 200);
  CHECK(raw_body_upstream(rig) == own);

  CHECK(rig.post("/v1/completions", R"({"model":"qwen2.5-coder:7b","prompt":"<fim_prefix>a<fim_suffix>b<fim_middle>"})")
            .status == 200);
  call = call_upstream(rig);
  CHECK(call["body"]["prompt"] == "a");
  CHECK(call["body"]["suffix"] == "b");
}

TEST_CASE("a prompt rendered for another family is asked of a chat model as what it is") {
  Rig rig;
  CHECK(rig.post("/v1/completions",
                 R"({"model":"gemini-2.5-flash","prompt":"<file_sep>int x;<file_sep><fim_prefix>a = <fim_suffix>;)"
                 R"(<fim_middle>","stop":["<fim_prefix>","<file_sep>","\n\n\n","END"]})")
            .status == 200);
  const Json call = call_upstream(rig);
  CHECK(call["path"] == "/v1/chat/completions");
  CHECK(call["body"]["messages"][1]["content"] == "<file>\nint x;\n</file>\n<prefix>a = </prefix>\n<suffix>;</suffix>");
  CHECK(call["body"]["stop"] == Json::array({"END"}));
}

TEST_CASE("a client's other files reach no upstream under the daemon's own name for them") {
  Rig rig(models(model("own", "fim = \"suffix\"\n")));
  CHECK(rig.post("/v1/completions",
                 R"({"model":"own","prompt":"a","suffix":"b","nemo_files":[{"path":"p","content":"c"}]})")
            .status == 200);
  const Json call = call_upstream(rig);
  CHECK(call["body"] == Json::parse(R"({"model":"own","prompt":"+++++ p\nc\n\n+++++ \na","suffix":"b"})"));
  CHECK(rig.post("/v1/completions", R"({"model":"own","prompt":"a","nemo_files":5})").status == 400);
}

TEST_CASE("what llama.vim sends without naming a model is answered by the completion lane, compact") {
  Rig rig;
  const Reply reply = rig.post("/infill", R"({"input_prefix":"int a","prompt":" = ","input_suffix":";\n",)"
                                          R"("input_extra":[],"n_predict":16,"stream":false,"t_max_predict_ms":250})");
  CHECK(reply.status == 200);
  CHECK(reply.header("x-nemo-lane") == "completion");
  CHECK(reply.header("content-type") == "application/json");
  CHECK(reply.body.starts_with("{\"content\":\""));
  CHECK(reply.body.find('\n') == std::string::npos);
  const Json row = rig.rows(1)[0];
  CHECK(row["surface"] == "llamacpp-infill");
  CHECK(row["status"] == "ok");
}

TEST_CASE("llama.vim's warm-up, which asks for no text, gets none and costs nothing") {
  Rig rig;
  const Reply reply = rig.post("/infill", R"({"input_prefix":"int a","input_suffix":";\n","n_predict":0})");
  CHECK(reply.status == 200);
  CHECK(reply.body.starts_with("{\"content\":\"\""));
  CHECK(rig.upstream.journal().empty());
  const Json row = rig.rows(1)[0];
  CHECK(row["status"] == "ok");
  CHECK(row["attempts"] == 0);
  CHECK(row["cost"] == "0");
}

TEST_CASE("errors come in each surface's own shape") {
  Rig rig;
  const Json mistral = rig.post("/v1/fim/completions", R"({"prompt":1})").json();
  CHECK(mistral["object"] == "error");
  CHECK(mistral["param"] == "prompt");
  const Reply infill = rig.post("/infill", R"({"input_prefix":"a","model":"no-such-model"})");
  CHECK(infill.status == 404);
  CHECK(infill.json()["error"]["code"] == 404);
  CHECK(infill.json()["error"]["type"] == "not_found_error");
}

TEST_CASE("a stream that breaks ends with an error in the surface's own shape") {
  Rig rig;
  rig.upstream.script({{"cut_after_chunks", 3}, {"cut", "close"}});
  const std::string request = R"({"model":"gemini-2.5-flash","prompt":"a","stream":true})";
  const Reply mistral = rig.post("/v1/fim/completions", request);
  CAPTURE(mistral.body);
  CHECK(Json::parse(stream_events(mistral.body).back())["object"] == "error");
  const Reply llamacpp = rig.post("/completion", request);
  CAPTURE(llamacpp.body);
  CHECK(Json::parse(stream_events(llamacpp.body).back())["error"]["code"] == 502);
}

TEST_CASE("a body in Tabby's shape is refused with what to do instead") {
  Rig rig;
  const Reply reply = rig.post("/v1/completions", R"({"language":"python","segments":{"prefix":"a","suffix":"b"}})");
  CHECK(reply.status == 400);
  CHECK(reply.json()["error"]["message"].get<std::string>().find("Tabby") != std::string::npos);
  CHECK(rig.upstream.journal().empty());
}

TEST_CASE("llama.cpp's clients learn the context's size, and how long a text is, about") {
  Rig rig;
  const Reply props = rig.get("/props");
  CHECK(props.status == 200);
  CHECK(props.json()["default_generation_settings"]["n_ctx"] == 1'048'576);
  CHECK(props.json()["chat_template"] == "");
  const Reply tokens = rig.post("/tokenize", R"({"content":"nine byte"})");
  CHECK(tokens.status == 200);
  CHECK(tokens.json() == Json::parse(R"({"tokens":[0,1,2]})"));
  CHECK(rig.post("/tokenize", R"({"content":""})").json()["tokens"].empty());
  CHECK(rig.post("/tokenize", R"({"content":[1]})").status == 400);
  CHECK(rig.post("/tokenize", R"({"content":[1]})").json()["error"]["code"] == 400);
}

}  // namespace nemo::test::fim_test
