// An arm of an experiment whose model cannot answer: what a fallback says in its stead is not the arm's doing.
#include <doctest/doctest.h>

#include "harness.h"

namespace nemo::test::experiment_fallback_test {

using namespace nemo::test;

TEST_CASE("a call that a fallback answered names the arm that was drawn, and counts for none") {
  Rig rig({"[lane.reasoning]\nmodel = \"gemini-2.5-pro\"\nfallbacks = [\"gemini-2.5-flash-lite\"]\n", "", {}, false});
  rig.admin("POST", "/experiments",
            {{"name", "one"},
             {"lane", "reasoning"},
             {"arms", Json::array({{{"model", "gemini-2.5-flash"}, {"weight", 1}}})}});
  rig.admin("POST", "/experiments/one/start");
  const std::string body = R"({"model":"nemo/reasoning","messages":[{"role":"user","content":"hi"}]})";
  CHECK(rig.post("/v1/chat/completions", body).header("x-nemo-model") == "gemini-2.5-flash");
  rig.upstream.script_model("gemini-2.5-flash", {{"status", 503}});
  const Reply rescued = rig.post("/v1/chat/completions", body);
  CHECK(rescued.status == 200);
  CHECK(rescued.header("x-nemo-model") == "gemini-2.5-flash-lite");
  const auto rows = rig.rows(2);
  CHECK(rows[1]["experiment"] == "one");
  CHECK(rows[1]["arm"] == "gemini-2.5-flash");
  CHECK(rows[1]["model"] == "gemini-2.5-flash-lite");
  const Json report = rig.admin("GET", "/experiments/one/report");
  REQUIRE(report["arms"].size() == 1);
  CHECK(report["arms"][0]["calls"] == 1);
}

}  // namespace nemo::test::experiment_fallback_test
