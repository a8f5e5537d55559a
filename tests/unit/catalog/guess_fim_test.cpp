#include "daemon/catalog/guess_fim.h"

#include <doctest/doctest.h>

#include "daemon/catalog/catalog.h"

namespace nemo::test::guess_fim_test {

using namespace nemo::catalog;
using nemo::call::FimForm;

TEST_CASE("a model's name tells its family, as clients read it") {
  CHECK(guess_fim("Qwen/Qwen2.5-Coder-7B-Instruct") == FimForm::qwen);
  CHECK(guess_fim("qwen3-coder-30b-a3b") == FimForm::qwen);
  CHECK(guess_fim("CodeQwen1.5-7B") == FimForm::starcoder);
  CHECK(guess_fim("bigcode/starcoder2-3b") == FimForm::starcoder);
  CHECK(guess_fim("/models/codellama-13b.Q4_K_M.gguf") == FimForm::codellama);
  CHECK(guess_fim("deepseek-coder-6.7b-base") == FimForm::deepseek);
  CHECK(guess_fim("Codestral-22B-v0.1") == FimForm::codestral);
  CHECK(guess_fim("ByteDance-Seed/Seed-Coder-8B-Base") == FimForm::seed_coder);
  CHECK(guess_fim("google/codegemma-2b") == FimForm::codegemma);
  CHECK(guess_fim("ibm-granite/granite-4.0-h-micro") == FimForm::granite);
  CHECK(guess_fim("ibm-granite/granite-3b-code-base") == FimForm::starcoder);
  CHECK(guess_fim("codegeex4-all-9b") == FimForm::codegeex);
}

TEST_CASE("an Ollama name takes a suffix: that server knows its models' marks") {
  CHECK(guess_fim("qwen2.5-coder:7b") == FimForm::suffix);
  CHECK(guess_fim("codellama:13b-code") == FimForm::suffix);
}

TEST_CASE("a name that tells nothing is no guess") {
  for (const char* name : {"gpt-4o", "llama3.2", "qwen3-8b", "deepseek-chat", "claude-sonnet-5", ""}) {
    CAPTURE(name);
    CHECK_FALSE(guess_fim(name));
  }
}

TEST_CASE("what the config says of a model's holes is in the catalog, and nothing where it says nothing") {
  ModelOverride given;
  given.fim = FimForm::glm;
  const Catalog catalog({{"own", given}});
  CHECK(catalog.find("own")->fim == FimForm::glm);
  CHECK_FALSE(catalog.find("codestral-2")->fim);
}

}  // namespace nemo::test::guess_fim_test
