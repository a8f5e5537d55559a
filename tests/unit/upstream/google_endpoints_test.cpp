#include <doctest/doctest.h>

#include "daemon/upstream/google/endpoints.h"

namespace nemo::test::google_endpoints_test {

using namespace nemo;
using namespace nemo::upstream::google;

namespace {

const Place k_place{"my-project", "europe-west4", ""};

std::string url(const char* publisher, const char* model, Streamed streamed, const Place& place = k_place) {
  const auto served = served_as(publisher, model);
  REQUIRE(served.ok());
  const std::string whole = url_of(place, *served, streamed);
  const std::string start =
      "https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west4/";
  return whole.starts_with(start) ? whole.substr(start.size()) : whole;
}

std::string problem_of(const Place& place) {
  const auto checked = check(place);
  return checked ? "" : checked.error().message;
}

}  // namespace

TEST_CASE("each catalog model is spoken to in its publisher's wire format, under its name there") {
  struct Row {
    const char* publisher;
    const char* model;
    Wire wire;
    const char* url_model;
    const char* body_model;
  };
  const Row rows[] = {
      {"google", "gemini-2.5-flash", Wire::openai, "", "google/gemini-2.5-flash"},
      {"google", "google/gemini-2.5-flash", Wire::openai, "", "google/gemini-2.5-flash"},
      {"google", "gemini-2.5-flash-image", Wire::openai, "", "google/gemini-2.5-flash-image"},
      {"google", "google/gemma-4-26b-a4b-it-maas", Wire::openai, "", "google/gemma-4-26b-a4b-it-maas"},
      {"deepseek-ai", "deepseek-ai/deepseek-v3.2-maas", Wire::openai, "", "deepseek-ai/deepseek-v3.2-maas"},
      {"xai", "xai/grok-4.1-fast-reasoning", Wire::openai, "", "xai/grok-4.1-fast-reasoning"},
      {"meta", "llama-4-scout-maas", Wire::openai, "", "meta/llama-4-scout-maas"},
      {"anthropic", "claude-sonnet-4-5@20250929", Wire::claude, "claude-sonnet-4-5@20250929", ""},
      {"anthropic", "anthropic/claude-opus-5@default", Wire::claude, "claude-opus-5@default", ""},
      {"mistralai", "codestral-2", Wire::mistral, "codestral-2", "codestral-2"},
      {"mistralai", "codestral@2405", Wire::mistral, "codestral@2405", "codestral"},
      {"mistralai", "mistral-large@2407", Wire::mistral, "mistral-large@2407", "mistral-large"},
      {"google", "text-embedding-005", Wire::predict, "text-embedding-005", ""},
      {"google", "text-multilingual-embedding-002", Wire::predict, "text-multilingual-embedding-002", ""},
      {"google", "gemini-embedding-001", Wire::predict, "gemini-embedding-001", ""},
      {"google", "gemini-embedding-2", Wire::embed_content, "gemini-embedding-2", ""},
      // Only the config names it: the name decides.
      {"config", "gemini-9-ultra", Wire::openai, "", "google/gemini-9-ultra"},
      {"config", "claude-next@default", Wire::claude, "claude-next@default", ""},
      {"config", "codestral-9", Wire::mistral, "codestral-9", "codestral-9"},
      {"config", "text-embedding-999", Wire::predict, "text-embedding-999", ""},
      {"config", "zai-org/glm-9-maas", Wire::openai, "", "zai-org/glm-9-maas"},
      {"config", "something-else", Wire::openai, "", "something-else"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.model);
    const auto served = served_as(row.publisher, row.model);
    REQUIRE(served.ok());
    CHECK(served->wire == row.wire);
    CHECK(served->url_model == row.url_model);
    CHECK(served->body_model == row.body_model);
  }
}

TEST_CASE("Gemini models have a native wire for callers that speak it; nobody else's models have") {
  const auto native = [](const char* publisher, const char* model, Streamed streamed) {
    const auto served = served_as_gemini(publisher, model);
    if (!served) return std::string();
    CHECK(served->wire == Wire::gemini);
    CHECK(served->body_model.empty());
    return url_of(k_place, *served, streamed);
  };
  const std::string start =
      "https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west4/publishers/google/"
      "models/";
  CHECK(native("google", "gemini-2.5-pro", Streamed::no) == start + "gemini-2.5-pro:generateContent");
  CHECK(native("google", "google/gemini-2.5-pro", Streamed::yes) ==
        start + "gemini-2.5-pro:streamGenerateContent?alt=sse");
  CHECK(native("config", "gemini-9-ultra", Streamed::no) == start + "gemini-9-ultra:generateContent");
  for (const char* model : {"gemini-embedding-001", "gemini-embedding-2", "google/gemma-4-26b-a4b-it-maas",
                            "claude-sonnet-4-5@20250929", "openai/gemini-like"}) {
    CAPTURE(model);
    CHECK(native("config", model, Streamed::no).empty());
  }
}

TEST_CASE("a model whose wire format is not spoken here is refused by name") {
  const auto served = served_as("google", "multimodalembedding@001");
  REQUIRE(!served.ok());
  CHECK(served.error().kind == ErrorKind::invalid_config);
  CHECK(served.error().message.find("multimodalembedding@001") != std::string::npos);
}

TEST_CASE("a region, the global endpoint and the two multi-regions have hosts of their own") {
  CHECK(base_url_of("global") == "https://aiplatform.googleapis.com");
  CHECK(base_url_of("us") == "https://aiplatform.us.rep.googleapis.com");
  CHECK(base_url_of("eu") == "https://aiplatform.eu.rep.googleapis.com");
  CHECK(base_url_of("us-central1") == "https://us-central1-aiplatform.googleapis.com");
  CHECK(base_url_of("europe-west4") == "https://europe-west4-aiplatform.googleapis.com");
}

TEST_CASE("each wire format has its path, and streaming another where it is another") {
  using enum Streamed;
  CHECK(url("google", "gemini-2.5-flash", no) == "endpoints/openapi/chat/completions");
  CHECK(url("google", "gemini-2.5-flash", yes) == "endpoints/openapi/chat/completions");
  const std::string claude = "publishers/anthropic/models/claude-sonnet-4-5@20250929";
  CHECK(url("anthropic", "claude-sonnet-4-5@20250929", no) == claude + ":rawPredict");
  CHECK(url("anthropic", "claude-sonnet-4-5@20250929", yes) == claude + ":streamRawPredict");
  CHECK(url("mistralai", "codestral@2405", no) == "publishers/mistralai/models/codestral@2405:rawPredict");
  CHECK(url("mistralai", "codestral-2", yes) == "publishers/mistralai/models/codestral-2:streamRawPredict");
  CHECK(url("google", "text-embedding-005", no) == "publishers/google/models/text-embedding-005:predict");
  CHECK(url("google", "gemini-embedding-2", no) == "publishers/google/models/gemini-embedding-2:embedContent");
}

TEST_CASE("the path repeats the location, also the global one") {
  CHECK(url("google", "gemini-2.5-flash", Streamed::no, {"p", "global", ""}) ==
        "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi/chat/completions");
}

TEST_CASE("base_url replaces scheme and host, however it ends") {
  for (const char* base :
       {"http://127.0.0.1:80", "http://127.0.0.1:80/", "http://127.0.0.1:80/v1", "http://127.0.0.1:80/v1/"}) {
    CHECK(url("mistralai", "codestral-2", Streamed::no, {"p", "eu", base}) ==
          "http://127.0.0.1:80/v1/projects/p/locations/eu/publishers/mistralai/models/codestral-2:rawPredict");
  }
}

TEST_CASE("a model's name cannot leave its place in the URL") {
  CHECK(url("anthropic", "claude-x;y", Streamed::no) == "publishers/anthropic/models/claude-x%3By:rawPredict");
  CHECK(url("anthropic", "anthropic/../a?b#c:d e", Streamed::no) ==
        "publishers/anthropic/models/..%2Fa%3Fb%23c%3Ad%20e:rawPredict");
}

TEST_CASE("a place without project or location, or with an impossible one, is refused by field") {
  CHECK(problem_of(k_place).empty());
  CHECK(problem_of({"example.com:p-1", "global", ""}).empty());
  CHECK(problem_of({"", "global", ""}).find("project") != std::string::npos);
  CHECK(problem_of({"p/q", "global", ""}).find("project = \"p/q\"") != std::string::npos);
  CHECK(problem_of({"p", "", ""}).find("location") != std::string::npos);
  for (const char* bad : {"evil.example/", "a.b", "Europe", "eu west"}) {
    CHECK(problem_of({"p", bad, ""}).find("location = \"" + std::string(bad)) != std::string::npos);
  }
}

TEST_CASE("the project that pays for the quota is told of only when it is known") {
  CHECK(headers_for("").empty());
  CHECK(headers_for("payer") == std::vector<std::string>{"x-goog-user-project: payer"});
}

}  // namespace nemo::test::google_endpoints_test
