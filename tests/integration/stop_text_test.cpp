// A stop text that the daemon finds in a model's answer: the editor's answer ends, and upstream stops writing.
#include <doctest/doctest.h>

#include "harness.h"

namespace nemo::test::stop_text_test {

using namespace nemo::test;

namespace {

// A sentinel is no stop text that a chat model's upstream is told of.
const Json k_around{{"model", "gemini-2.5-flash"}, {"prompt", "int a"}, {"suffix", "\n}\n"}, {"stream", true}};

Json with(Json body, const Json& more) {
  body.update(more);
  return body;
}

}  // namespace

TEST_CASE("a stream that comes to a stop text ends at once, on every surface, and its call is cancelled upstream") {
  struct Case {
    std::string path;
    Json body;
    std::string end;
  };
  const Json stop{{"stop", Json::array({"<|end|>"})}};
  const std::vector<Case> cases{
      {"/v1/completions", with(k_around, stop), "data: [DONE]\n\n"},
      {"/v1/fim/completions", with(k_around, stop), "data: [DONE]\n\n"},
      {"/api/generate", with(k_around, {{"options", stop}}), "\"done\":true"},
      {"/infill",
       with(stop,
            {{"model", "gemini-2.5-flash"}, {"input_prefix", "int a"}, {"input_suffix", "\n}"}, {"stream", true}}),
       "\"stop\":true"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.path);
    Rig rig;
    // It has more to say, and would never come to an end.
    std::string content = " = 1; <|end|>";
    for (int i = 0; i < 100; ++i) content += " more";
    rig.upstream.script({{"content", content}, {"stall_after_chunks", 40}});
    const Reply reply = rig.post(one.path, one.body.dump());
    CAPTURE(reply.body);
    CHECK(reply.status == 200);
    CHECK(reply.whole);
    CHECK(reply.body.find(one.end) != std::string::npos);
    CHECK(reply.body.find("error") == std::string::npos);
    CHECK(reply.body.find("more") == std::string::npos);
    CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == 1; }));
    const Json row = rig.rows(1)[0];
    CHECK(row["status"] == "ok");
    CHECK(row["usage_source"] == "partial");
    CHECK(row["output_tokens"].get<int>() > 0);
    CHECK(row["cost"] != "0");
  }
}

}  // namespace nemo::test::stop_text_test
