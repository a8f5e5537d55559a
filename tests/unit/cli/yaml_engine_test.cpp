// Editing YAML of the two shapes that Continue and aider have.
#include "cli/editors/yaml_engine.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "cli/editors/yaml_blocks.h"

namespace nemo::test::yaml_engine_test {

using namespace nemo;
using namespace nemo::cli::editors;
using admin::Json;

namespace {

const Json k_model{{"provider", "openai"}, {"apiBase", "http://127.0.0.1:6366/v1"}, {"roles", {"chat", "edit"}}};

std::string put(const std::string& text, const Path& path, const Json& value) {
  const auto edited = k_yaml_engine.put(text, path, value);
  const std::string fault = edited ? "" : edited.error().message;
  CAPTURE(fault);
  REQUIRE(edited.ok());
  return *edited;
}

std::string fault_of(const std::string& text, const Path& path = {"models", "Nemo"}) {
  const auto edited = k_yaml_engine.put(text, path, k_model);
  return edited ? "" : edited.error().message;
}

std::string round_trip(const std::string& text, const Path& path, const Json& value) {
  const auto kept = k_yaml_engine.depth(text, path);
  REQUIRE(kept.ok());
  const auto taken = k_yaml_engine.take_out(put(text, path, value), path, *kept);
  REQUIRE(taken.ok());
  return *taken;
}

const std::string k_config = R"(# mine
name: My Config
version: 1.0.0
schema: v1

models:
  # the local one
  - name: Qwen
    provider: ollama
    model: qwen2.5-coder # small
  - provider: anthropic
    name: "Claude"
    apiKey: sk-ant

# rules follow
rules:
  - Answer briefly: always
)";

}  // namespace

TEST_CASE("a YAML item goes behind the last one of its list, in the list's own indentation") {
  const std::string edited = put(k_config, {"models", "Nemo"}, k_model);
  CHECK(edited.find("    apiKey: sk-ant\n"
                    "  - name: Nemo\n"
                    "    provider: openai\n"
                    "    apiBase: http://127.0.0.1:6366/v1\n"
                    "    roles:\n"
                    "      - chat\n"
                    "      - edit\n"
                    "\n# rules follow\n") != std::string::npos);
  CHECK(put(edited, {"models", "Nemo"}, k_model) == edited);
  CHECK(put("models:\n- name: a\n  x: 1\n", {"models", "bb"}, Json{{"x", "y z"}}) ==
        "models:\n- name: a\n  x: 1\n- name: bb\n  x: y z\n");
}

TEST_CASE("a YAML item with the name is replaced, wherever its name stands") {
  const std::string edited = put(k_config, {"models", "Claude"}, Json{{"provider", "openai"}});
  CHECK(edited.find("  - name: Claude\n    provider: openai\n\n# rules") != std::string::npos);
  CHECK(edited.find("sk-ant") == std::string::npos);
}

TEST_CASE("a YAML list that is empty or missing is begun") {
  CHECK(put("models: []\nx: 1\n", {"models", "aa"}, Json{{"b", "cd"}}) == "models:\n  - name: aa\n    b: cd\nx: 1\n");
  CHECK(put("models:\n", {"models", "aa"}, Json{{"b", "cd"}}) == "models:\n  - name: aa\n    b: cd\n");
  CHECK(put("x: 1\n", {"models", "aa"}, Json{{"b", "cd"}}) == "x: 1\nmodels:\n  - name: aa\n    b: cd\n");
}

TEST_CASE("a YAML scalar at the margin is replaced or added; its comment stays") {
  CHECK(put("model: gpt # mine\n", {"model"}, "nemo/auto") == "model: nemo/auto # mine\n");
  CHECK(put("model: 'nemo/auto'\n", {"model"}, "nemo/auto") == "model: 'nemo/auto'\n");
  CHECK(put("a: 1", {"b"}, "yes") == "a: 1\nb: \"yes\"");
  CHECK(put("---\na:\n", {"a"}, "x: y") == "---\na: \"x: y\"\n");
}

TEST_CASE("what was put into YAML comes out again, byte for byte") {
  for (const std::string& text :
       {k_config, std::string("models: []\n"), std::string("a: 1\r\nmodels:\r\n  - name: q\r\n"), std::string("a: 1"),
        std::string("models:\n  - name: x")}) {
    CAPTURE(text);
    CHECK(round_trip(text, {"models", "Nemo"}, k_model) == text);
    CHECK(round_trip(text, {"top"}, "v") == text);
  }
  CHECK(*k_yaml_engine.put_back(put("a: # c\n", {"a"}, "bc"), {"a"}, "") == "a: # c\n");
  const auto before = k_yaml_engine.find(k_config, {"models", "Qwen"});
  REQUIRE(before.ok());
  CHECK(*k_yaml_engine.put_back(put(k_config, {"models", "Qwen"}, k_model), {"models", "Qwen"}, **before) == k_config);
}

TEST_CASE("YAML that is not understood is refused with its line") {
  CHECK(fault_of("models: [{name: a}]\n").find("line 1") == 0);
  CHECK(fault_of("models: &x\n  - name: a\n").find("line 1") == 0);
  CHECK(fault_of("a: 1\n\tb: 2\n").find("line 2: YAML does not allow tabs") == 0);
  CHECK(fault_of("a: 1\n---\nb: 2\n").find("line 2") == 0);
  CHECK(fault_of("a: 1\na: 2\n").find("line 2: this name is there twice") == 0);
  CHECK(fault_of("{a: 1}\n").find("line 1") == 0);
  CHECK(fault_of("models:\n  a: 1\n").find("line 1") == 0);
  CHECK(fault_of("models:\n  - name: a\n - name: b\n").find("line 1") == 0);
  CHECK(fault_of("model: |\n  text\n", {"model"}).find("line 1") == 0);
}

TEST_CASE("YAML scalars that mean something else when plain are quoted") {
  for (const char* text : {"yes", "Null", "1.0", "", "a: b", "x #y", "- a", "~", "http:"}) {
    CAPTURE(text);
    CHECK(yaml_scalar(text).front() == '"');
    CHECK(read_yaml_scalar(yaml_scalar(text)) == text);
  }
  CHECK(yaml_scalar("http://127.0.0.1:6366/v1") == "http://127.0.0.1:6366/v1");
}

}  // namespace nemo::test::yaml_engine_test
