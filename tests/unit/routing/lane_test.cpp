#include <doctest/doctest.h>

#include "daemon/routing/route.h"

namespace nemo::test::lane_test {

using namespace nemo;
using call::CallSpec;
using call::Surface;

namespace {

std::string lane(const CallSpec& spec) {
  std::string why;
  std::string found = routing::lane_of(spec, why);
  CHECK(!why.empty());
  return found;
}

CallSpec small_chat() {
  CallSpec spec;
  spec.max_tokens = 256;
  spec.prompt_bytes = 16 << 10;
  return spec;
}

}  // namespace

TEST_CASE("a small chat without tools and with a low max_tokens is a completion") {
  CHECK(lane(small_chat()) == "completion");
}

TEST_CASE("each thing that makes a chat more than that makes it reasoning") {
  CallSpec spec = small_chat();
  spec.max_tokens = 257;
  CHECK(lane(spec) == "reasoning");
  spec = small_chat();
  spec.max_tokens.reset();
  CHECK(lane(spec) == "reasoning");
  spec = small_chat();
  spec.has_tools = true;
  CHECK(lane(spec) == "reasoning");
  spec = small_chat();
  spec.prompt_bytes = (16 << 10) + 1;
  CHECK(lane(spec) == "reasoning");
}

TEST_CASE("a completion endpoint is the completion lane, whatever the size") {
  CallSpec spec;
  spec.surface = Surface::openai_completions;
  spec.prompt_bytes = 1 << 20;
  CHECK(lane(spec) == "completion");
  spec.fill_in_middle = true;
  CHECK(lane(spec) == "completion");
}

TEST_CASE("embeddings have no lane") {
  CallSpec spec;
  spec.surface = Surface::openai_embeddings;
  CHECK(lane(spec).empty());
}

TEST_CASE("a lane that the request names goes before its shape") {
  CallSpec spec = small_chat();
  spec.lane = "reasoning";
  CHECK(lane(spec) == "reasoning");
}

}  // namespace nemo::test::lane_test
