#include "daemon/http/routes.h"

#include <doctest/doctest.h>

#include <string>

using nemo::call::Surface;
using nemo::http::find_route;
using nemo::http::Page;

TEST_CASE("every call's path answers POST, with and without /v1 and with a slash too many") {
  const std::pair<std::string, Surface> calls[] = {{"/chat/completions", Surface::openai_chat},
                                                   {"/completions", Surface::openai_completions},
                                                   {"/embeddings", Surface::openai_embeddings}};
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
                          {"/models", Page::model_list},
                          {"/v1/models", Page::model_list},
                          {"/v1/models/", Page::model_list}}) {
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
      CHECK(route->page == Page::model);
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
