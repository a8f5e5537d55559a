// What Ollama's clients are told before they call.
#include <doctest/doctest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "office.h"

namespace nemo::test::ollama_pages_test {

using namespace nemo;
using namespace nemo::test;
using gateway::Page;
using Json = nlohmann::json;

namespace {

catalog::ModelOverride sized(std::vector<std::string> capabilities, std::int64_t context) {
  catalog::ModelOverride made = model(std::move(capabilities));
  made.context_window = context;
  return made;
}

// Two lanes of unlike models, one that embeds, one that nothing is stated of, and an alias.
struct OllamaOffice : Office {
  OllamaOffice() {
    world.catalog = catalog::Catalog({{"gemini-x", sized({"chat", "tools", "vision", "reasoning"}, 1'000'000)},
                                      {"qwen2.5-coder:7b", sized({"chat", "fim", "tools"}, 32'768)},
                                      {"text-e", model({"embeddings"})},
                                      {"tuned:latest", model({"chat"})}});
    world.table.deployments.clear();
    for (const char* id : {"gemini-x", "qwen2.5-coder:7b", "text-e", "tuned:latest"}) deploy(id, "a");
    world.table.lanes["reasoning"] = {"gemini-x", {}, {}};
    world.table.lanes["completion"] = {"qwen2.5-coder:7b", {}, {}};
    world.table.aliases["nemo-fast"] = "qwen2.5-coder:7b";
  }

  Json ask(Page which) { return Json::parse(page(which).body); }
  gateway::Answer show_answer(const std::string& body) { return page(Page::ollama_show, {}, "", body); }
  Json show(const std::string& name) {
    const auto answer = show_answer(Json{{"model", name}}.dump());
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return Json::parse(answer.body);
  }
};

std::set<std::string> capabilities(const Json& shown) {
  return shown["capabilities"].get<std::set<std::string>>();
}

using Words = std::set<std::string>;

}  // namespace

TEST_CASE("the version is one that Copilot takes") {
  OllamaOffice office;
  const std::string version = office.ask(Page::ollama_version)["version"];
  int major = 0;
  int minor = 0;
  int patch = 0;
  REQUIRE(std::sscanf(version.c_str(), "%d.%d.%d", &major, &minor, &patch) == 3);
  CHECK(std::tuple(major, minor, patch) >= std::tuple(0, 6, 4));
}

TEST_CASE("every name that may be called is a tag with all the fields that clients read") {
  OllamaOffice office;
  Words names;
  Words digests;
  const Json tags = office.ask(Page::ollama_tags)["models"];
  for (const Json& tag : tags) {
    CHECK(tag["name"] == tag["model"]);
    CHECK(tag["modified_at"].is_string());
    CHECK(tag["size"].is_number_unsigned());
    CHECK(tag["digest"].get<std::string>().size() == 64);
    const Json& details = tag["details"];
    for (const char* field : {"format", "family", "parameter_size", "quantization_level"}) {
      CHECK(!details[field].get<std::string>().empty());
    }
    CHECK(details["families"] == Json::array({details["family"]}));
    names.insert(tag["name"].get<std::string>());
    digests.insert(tag["digest"].get<std::string>());
  }
  CHECK(names == Words{"nemo/auto", "nemo/completion", "nemo/reasoning", "nemo-fast", "gemini-x", "qwen2.5-coder:7b",
                       "text-e", "tuned:latest"});
  CHECK(digests.size() == names.size());
  CHECK(office.ask(Page::ollama_tags) == office.ask(Page::ollama_tags));
}

TEST_CASE("whatever may be called counts as loaded") {
  OllamaOffice office;
  const Json running = office.ask(Page::ollama_ps)["models"];
  CHECK(running.size() == office.ask(Page::ollama_tags)["models"].size());
  for (const Json& one : running) {
    CHECK(one["expires_at"].is_string());
    CHECK(one["size_vram"] == 0);
    if (one["name"] == "nemo-fast") CHECK(one["context_length"] == 32'768);
  }
}

TEST_CASE("a model's capabilities are the catalog's, and every one that chats fills in the middle") {
  OllamaOffice office;
  CHECK(capabilities(office.show("gemini-x")) == Words{"completion", "insert", "tools", "vision", "thinking"});
  CHECK(capabilities(office.show("qwen2.5-coder:7b")) == Words{"completion", "insert", "tools"});
  CHECK(capabilities(office.show("tuned:latest")) == Words{"completion", "insert"});
  CHECK(capabilities(office.show("text-e")) == Words{"embedding"});
  CHECK(office.show("gemini-x")["template"].get<std::string>().find(".Suffix") != std::string::npos);
  CHECK(office.show("text-e")["template"].get<std::string>().find(".Suffix") == std::string::npos);
}

TEST_CASE("a model's context is found by the name of its architecture") {
  OllamaOffice office;
  const Json shown = office.show("qwen2.5-coder:7b");
  CHECK(shown["model_info"] == Json{{"general.architecture", "qwen"},
                                    {"general.basename", "qwen2.5-coder:7b"},
                                    {"qwen.context_length", 32'768}});
  CHECK(shown["parameters"] == "num_ctx 32768");
  CHECK(shown["details"]["family"] == "qwen");
  const Json alias = office.show("nemo-fast");
  CHECK(alias["model_info"]["general.basename"] == "nemo-fast");
  CHECK(alias["model_info"]["qwen.context_length"] == 32'768);
  const Json unstated = office.show("tuned:latest");
  CHECK_FALSE(unstated["model_info"].contains("tuned.context_length"));
  CHECK(unstated["parameters"] == "");
}

TEST_CASE("of a name that is routed call by call only what every lane has can be counted on") {
  OllamaOffice office;
  const Json shown = office.show("nemo/auto");
  CHECK(capabilities(shown) == Words{"completion", "insert", "tools"});
  CHECK(shown["model_info"]["nemo.context_length"] == 32'768);
  office.world.table.lanes.clear();
  CHECK(capabilities(office.show("nemo/auto")) == Words{"completion", "insert"});
}

TEST_CASE("a model is shown by model or by name, with Ollama's word for no tag or without") {
  OllamaOffice office;
  CHECK(office.show("gemini-x:latest") == office.show("gemini-x"));
  CHECK(office.show_answer(R"({"name":"gemini-x","verbose":true})").status == 200);
  CHECK(office.show_answer(R"({"model":"","name":"gemini-x"})").status == 200);
  CHECK(office.show_answer(R"({"model":"gemini"})").status == 404);
  for (const char* wrong : {"", "[]", "{}", R"({"model":7})", R"({"model":null})"}) {
    const auto answer = office.show_answer(wrong);
    CHECK(answer.status == 400);
  }
}

TEST_CASE("a key sees the models that it may use") {
  OllamaOffice office;
  office.world.settings.require_key = true;
  auto made = access::make_key("anna", "", office.clock.wall());
  made.record.models = {"gemini-x"};
  office.keys.replace(std::vector{made.record});
  const auto answer = office.page(Page::ollama_tags, made.text);
  REQUIRE(answer.status == 200);
  Words names;
  const Json tags = Json::parse(answer.body)["models"];
  for (const Json& tag : tags) names.insert(tag["name"].get<std::string>());
  CHECK(names.count("gemini-x") == 1);
  CHECK(names.count("text-e") == 0);
  CHECK(office.page(Page::ollama_tags).status == 401);
}

}  // namespace nemo::test::ollama_pages_test
