#include <doctest/doctest.h>

#include "harness.h"
#include "shared/money.h"

using namespace nemo::test;

namespace {

const std::string k_hello = R"({"model":"gemini-2.5-flash","messages":[{"role":"user","content":"hello there"}]})";
const std::string k_hello_streamed =
    R"({"model":"gemini-2.5-flash","stream":true,"messages":[{"role":"user","content":"hello there"}]})";

}  // namespace

TEST_CASE("a chat is answered by upstream and its row has the tokens and the exact cost") {
  Rig rig;
  const Reply reply = rig.post("/v1/chat/completions", k_hello);
  CHECK(reply.status == 200);
  const Json usage = reply.json()["usage"];
  const auto input = usage["prompt_tokens"].get<std::int64_t>();
  const auto output = usage["completion_tokens"].get<std::int64_t>();
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["model"] == "gemini-2.5-flash");
  CHECK(rows[0]["seat"] == "tester");
  CHECK(rows[0]["input_tokens"] == input);
  CHECK(rows[0]["output_tokens"] == output);
  CHECK(rows[0]["usage_source"] == "provider");
  CHECK(rows[0]["cost"] == nemo::to_dollars({input * 300 + output * 2500}));
  CHECK(reply.header("x-nemo-request-cost") == rows[0]["cost"].get<std::string>());
  CHECK(reply.header("x-nemo-request-id") == rows[0]["id"].get<std::string>());
}

TEST_CASE("a client that did not ask for usage sees none, and is billed by it all the same") {
  Rig rig;
  const Reply reply = rig.post("/v1/chat/completions", k_hello_streamed);
  CHECK(reply.status == 200);
  CHECK(reply.whole);
  CHECK(reply.header("content-type").find("text/event-stream") == 0);
  CHECK(reply.body.find("prompt_tokens") == std::string::npos);
  CHECK(stream_events(reply.body).back() == "[DONE]");
  CHECK(!stream_text(reply.body).empty());
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["usage_source"] == "provider");
  CHECK(rows[0]["stream"] == true);
  CHECK(rows[0]["output_tokens"].get<int>() > 0);
  CHECK(!rows[0]["ttft_ms"].is_null());
}
