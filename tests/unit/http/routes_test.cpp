#include "daemon/http/routes.h"

#include <doctest/doctest.h>

#include <string>

namespace nemo::test::routes_test {

using nemo::call::Surface;
using nemo::http::find_route;
using nemo::http::Page;

TEST_CASE("every call's path answers POST, with and without /v1 and with a slash too many") {
  const std::pair<std::string, Surface> calls[] = {
      {"/chat/completions", Surface::openai_chat}, {"/completions", Surface::openai_completions},
      {"/embeddings", Surface::openai_embeddings}, {"/responses", Surface::openai_responses},
      {"/messages", Surface::anthropic_messages},  {"/fim/completions", Surface::mistral_fim},
      {"/infill", Surface::llamacpp_infill},       {"/completion", Surface::llamacpp_completion},
      {"/api/chat", Surface::ollama_chat},         {"/api/generate", Surface::ollama_generate},
      {"/api/embed", Surface::ollama_embed}};
  for (const auto& [path, surface] : calls) {
    for (const std::string& written : {path, "/v1" + path, path + "/", "/v1" + path + "/"}) {
      const auto route = find_route(written);
      REQUIRE_MESSAGE(route.has_value(), written);
      CHECK(route->page == Page::call);
      CHECK(route->surface == surface);
      CHECK(route->method == "POST");
    }
  }
}

TEST_CASE("the pages answer GET") {
  for (const auto& one : {std::pair<std::string, Page>{"/", Page::root},
                          {"/health", Page::health},
                          {"/v1/health", Page::health},
                          {"/models", Page::openai_models},
                          {"/v1/models", Page::openai_models},
                          {"/v1/models/", Page::openai_models}}) {
    const auto& path = one.first;
    const auto& page = one.second;
    const auto route = find_route(path);
    REQUIRE_MESSAGE(route.has_value(), path);
    CHECK(route->page == page);
    CHECK(route->method == "GET");
  }
}

TEST_CASE("a model's page carries its id, which may hold slashes") {
  for (const std::string id : {"gemini-2.5-flash", "nemo/auto", "publishers/google/models/x"}) {
    for (const std::string base : {"/models/", "/v1/models/"}) {
      const std::string path = base + id;
      const auto route = find_route(path);
      REQUIRE(route.has_value());
      CHECK(route->page == Page::openai_model);
      CHECK(route->rest == id);
    }
  }
}

TEST_CASE("what is not in the table is nowhere") {
  for (const char* path :
       {"", "/v1", "/v2/chat/completions", "/v1/v1/models", "/chat", "/chat/completionsx", "chat/completions",
        "/CHAT/completions", "/v1/chat/completions/x", "/v1/../health", "/v1//models"}) {
    CHECK_MESSAGE(!find_route(path).has_value(), std::string(path));
  }
}

TEST_CASE("Gemini's paths carry the model and whether the answer is a stream") {
  for (const std::string base : {"/v1beta/models/", "/v1/models/", "/v1beta1/publishers/google/models/",
                                 "/v1/projects/p/locations/l/publishers/google/models/"}) {
    const std::string path = base + "gemini-2.5-flash:streamGenerateContent";
    const auto route = find_route(path);
    REQUIRE_MESSAGE(route.has_value(), base);
    CHECK(route->page == Page::call);
    CHECK(route->surface == Surface::gemini);
    CHECK(route->rest == "gemini-2.5-flash");
    CHECK(route->stream == true);
    const std::string whole = base + "m:generateContent";
    CHECK(find_route(whole)->stream == false);
    const std::string count = base + "m:countTokens";
    CHECK(find_route(count)->page == Page::gemini_count_tokens);
    const std::string other = base + "m:somethingElse";
    CHECK((!find_route(other) || find_route(other)->page == Page::openai_model));
  }
}

TEST_CASE("a key may stand before any path") {
  std::string_view path = "/key/sk-nemo-abc/api/tags";
  CHECK(nemo::http::take_key(path) == "sk-nemo-abc");
  CHECK(path == "/api/tags");
  path = "/v1/models";
  CHECK(nemo::http::take_key(path).empty());
  CHECK(path == "/v1/models");
}

}  // namespace nemo::test::routes_test
