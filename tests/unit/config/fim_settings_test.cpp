#include <doctest/doctest.h>

#include <string>

#include "daemon/config/parse_settings.h"

namespace nemo::test::fim_settings_test {

using namespace nemo::config;
using nemo::call::FimForm;

TEST_CASE("a model's way of being told of a hole is read, and written as it was read") {
  for (const char* name : {"suffix", "none", "qwen", "codegemma", "granite", "starcoder", "codellama", "deepseek",
                           "codestral", "seed-coder", "glm", "codegeex"}) {
    CAPTURE(name);
    const auto settings = parse_settings("[model.\"own\"]\nfim = \"" + std::string(name) + "\"\n", "nemo.toml");
    REQUIRE(settings.ok());
    const auto fim = settings->models.at("own").fim;
    REQUIRE(fim);
    CHECK(nemo::call::to_string(*fim) == name);
    const auto again = parse_settings(to_toml(*settings), "nemo.toml");
    REQUIRE(again.ok());
    CHECK(again->models.at("own").fim == fim);
  }
}

TEST_CASE("a model without it is left to its name, and an unknown word is refused with those there are") {
  const auto silent = parse_settings("[model.\"own\"]\ncontext_window = 8192\n", "nemo.toml");
  REQUIRE(silent.ok());
  CHECK_FALSE(silent->models.at("own").fim);
  const auto wrong = parse_settings("[model.\"own\"]\nfim = \"hole-filler\"\n", "nemo.toml");
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().message.find("nemo.toml:2") != std::string::npos);
  CHECK(wrong.error().message.find("starcoder") != std::string::npos);
}

}  // namespace nemo::test::fim_settings_test
