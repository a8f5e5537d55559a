// A first upstream that sends its role and then nothing is as silent as one that sends nothing at all.
#include <doctest/doctest.h>

#include "harness.h"

namespace nemo::test::hedge_content_test {

using namespace nemo::test;

namespace {

Rig::Options options_of(const FakeUpstream& first, const FakeUpstream& second) {
  Rig::Options options;
  options.own_upstream = true;
  options.toml = "[lane.completion]\nmodel = \"gemini-2.5-flash\"\nhedge_after = \"50ms\"\n";
  int order = 0;
  for (const auto& [name, fake] : {std::pair("first", &first), std::pair("second", &second)}) {
    const std::string quoted = "\"" + std::string(name) + "\"";
    options.toml += "[[upstream]]\nname = " + quoted + "\nkind = \"openai\"\nkey = \"env:FAKE_KEY\"\nbase_url = \"" +
                    fake->base_url() + "\"\n[[deployment]]\nmodel = \"gemini-2.5-flash\"\nupstream = " + quoted +
                    "\norder = " + std::to_string(++order) + "\n";
  }
  return options;
}

}  // namespace

TEST_CASE("a stream that stalls behind its role is outrun by the second, and cancelled") {
  FakeUpstream first;
  FakeUpstream second;
  Rig rig(options_of(first, second));
  first.reset();
  second.reset();
  first.script({{"stall_after_chunks", 1}});
  const Json body{{"model", "nemo/completion"},
                  {"stream", true},
                  {"max_tokens", 12},
                  {"messages", Json::array({{{"role", "user"}, {"content", "hi"}}})}};
  const Reply reply = rig.post("/v1/chat/completions", body.dump());
  CHECK(reply.status == 200);
  CHECK(reply.whole);
  CHECK(reply.header("x-nemo-upstream") == "second");
  CHECK(reply.header("x-nemo-attempts") == "2");
  CHECK(stream_events(reply.body).back() == "[DONE]");
  CHECK(eventually([&] { return first.summary()["cancelled"] == 1; }));
  CHECK(rig.rows(1)[0]["status"] == "ok");
}

}  // namespace nemo::test::hedge_content_test
