// Ollama's clients load a model by asking it nothing; here there is nothing to load, and they are told that it is
// there.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "office.h"

namespace nemo::test::ollama_loading_test {

using namespace nemo;
using namespace nemo::test;
using call::Surface;
using Json = nlohmann::json;

TEST_CASE("a chat without messages and a generate without a prompt say that the model is loaded, for nothing") {
  for (const std::string stream : {"", R"("stream":false,)", R"("stream":true,)"}) {
    for (const char* rest : {R"("model":"m")", R"("model":"m","messages":[],"keep_alive":"10m")"}) {
      for (const Surface surface : {Surface::ollama_chat, Surface::ollama_generate}) {
        CAPTURE(stream);
        Office office;
        auto answer = office.ask("{" + stream + rest + "}", surface);
        CHECK(answer.status == 200);
        CHECK(answer.stream == nullptr);
        const bool is_stream = stream != R"("stream":false,)";
        CHECK(answer.content_type == (is_stream ? "application/x-ndjson" : "application/json"));
        const Json told = Json::parse(answer.body);  // one line
        CHECK(told["done"] == true);
        CHECK(told["done_reason"] == "load");
        CHECK(told["model"] == "m");
        if (surface == Surface::ollama_chat) {
          CHECK(told["message"] == Json{{"role", "assistant"}, {"content", ""}});
        } else {
          CHECK(told["response"] == "");
        }
        const auto row = office.settle(answer);
        CHECK(row.outcome == call::Outcome::ok);
        CHECK(row.cost == NanoUsd{0});
        CHECK(row.usage.source == call::UsageSource::none);
        CHECK(office.transport.requests().empty());
      }
    }
  }
}

TEST_CASE("one that is to be let go is") {
  for (const char* keep_alive : {"0", "\"0\"", "\"0s\""}) {
    Office office;
    auto answer = office.ask(R"({"model":"m","keep_alive":)" + std::string(keep_alive) + "}", Surface::ollama_chat);
    CHECK(Json::parse(answer.body)["done_reason"] == "unload");
    office.settle(answer);
  }
}

TEST_CASE("a model that is not there cannot be loaded") {
  Office office;
  auto answer = office.ask(R"({"model":"nope"})", Surface::ollama_chat);
  CHECK(answer.status == 404);
  office.settle(answer);
}

}  // namespace nemo::test::ollama_loading_test
