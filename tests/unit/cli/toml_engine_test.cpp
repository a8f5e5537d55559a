// Editing TOML.
#include "cli/editors/toml_engine.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace nemo::test::toml_engine_test {

using namespace nemo;
using namespace nemo::cli::editors;
using admin::Json;

namespace {

std::string put(const std::string& text, const Path& path, const Json& value) {
  const auto edited = k_toml_engine.put(text, path, value);
  const std::string fault = edited ? "" : edited.error().message;
  CAPTURE(fault);
  REQUIRE(edited.ok());
  return *edited;
}

std::string fault_of(const std::string& text, const Path& path) {
  const auto edited = k_toml_engine.put(text, path, "v");
  return edited ? "" : edited.error().message;
}

const std::string k_config = R"(# Codex
model = "gpt-5" # the usual one
notify = [
  "a", # with a comment ]
  "b",
]

[tui]
theme = 'dark'

[model_providers.other]
name = """
[model_providers.nemo]
"""
)";

}  // namespace

TEST_CASE("a TOML value is replaced where it stands; its comment stays") {
  const std::string edited = put(k_config, {"model"}, "nemo/auto");
  CHECK(edited.find("model = \"nemo/auto\" # the usual one\n") != std::string::npos);
  CHECK(put(edited, {"model"}, "nemo/auto") == edited);
}

TEST_CASE("a new TOML pair joins those of its table") {
  CHECK(put(k_config, {"model_provider"}, "nemo").find("]\nmodel_provider = \"nemo\"\n\n[tui]") != std::string::npos);
  CHECK(put(k_config, {"tui", "x"}, 1).find("theme = 'dark'\nx = 1\n") != std::string::npos);
  CHECK(put("[a]\nb = 1\n", {"c"}, true) == "c = true\n[a]\nb = 1\n");
  CHECK(put("", {"c"}, 1) == "c = 1\n");
}

TEST_CASE("a TOML table that is missing is made at the end, once for all its pairs") {
  std::string text = put(k_config, {"model_providers", "nemo", "name"}, "Nemo");
  text = put(text, {"model_providers", "nemo", "base_url"}, "u");
  CHECK(text == k_config + "\n[model_providers.nemo]\nname = \"Nemo\"\nbase_url = \"u\"\n");
  for (const char* name : {"base_url", "name"}) {
    const auto taken = k_toml_engine.take_out(text, {"model_providers", "nemo", name}, 1);
    REQUIRE(taken.ok());
    text = *taken;
  }
  CHECK(text == k_config);
}

TEST_CASE("what was put into TOML comes out again, byte for byte") {
  for (const std::string& text : {k_config, std::string(), std::string("a = 1\r\n[b]\r\nc = 2\r\n")}) {
    for (const Path& path : {Path{"x"}, Path{"tui", "x"}, Path{"b", "x"}, Path{"new", "table", "x"}}) {
      CAPTURE(text);
      const auto kept = k_toml_engine.depth(text, path);
      REQUIRE(kept.ok());
      const auto taken = k_toml_engine.take_out(put(text, path, "v"), path, *kept);
      REQUIRE(taken.ok());
      CHECK(*taken == text);
    }
  }
}

TEST_CASE("dotted TOML keys are found; inline tables are refused, not broken") {
  CHECK(put("a.b = 1\n", {"a", "b"}, 2) == "a.b = 2\n");
  CHECK(fault_of("a = { b = 1 }\n", {"a", "b"}).find("cannot be edited safely") != std::string::npos);
  CHECK(fault_of("a = { b = 1 }\n", {"a", "c"}).find("cannot be edited safely") != std::string::npos);
  CHECK(fault_of("a = 1\n", {"a", "c"}).find("cannot be edited safely") != std::string::npos);
}

TEST_CASE("malformed TOML is refused with its line") {
  CHECK(fault_of("a = 1\nb = \n", {"c"}).find("line 2") != std::string::npos);
  CHECK(fault_of("a = 1\na = 2\n", {"c"}).find("line 2") != std::string::npos);
  CHECK(fault_of("a = \"x\n", {"c"}).find("does not end") != std::string::npos);
  CHECK(fault_of("a = " + std::string(100, '['), {"c"}).find("16 deep") != std::string::npos);
  CHECK(fault_of("[$a]\n", {"c"}).find("line 1") != std::string::npos);
}

}  // namespace nemo::test::toml_engine_test
