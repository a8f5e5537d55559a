#include "daemon/protocol/fim/fim_prompt.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "daemon/protocol/fim/fim_families.h"

namespace nemo::test::fim_prompt_test {

using namespace nemo::protocol;
using nemo::call::FimForm;

namespace {

FimPrompt parsed(const std::string& text) {
  CAPTURE(text);
  const auto prompt = parse_fim_prompt(text);
  REQUIRE(prompt);
  return *prompt;
}

FimPrompt hole(FimForm family, std::string prefix, std::string suffix) {
  return {family, std::move(prefix), std::move(suffix)};
}

// Text that looks a little like every family's marks and is none of them.
std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> k_pieces{"a",  " ", "\n", "<",    ">",  "|",  "fim", "_prefix", "[", "]",
                                                 "｜", "é", "}",  "\n\n", "PR", "MI", "{{",  "QUERY",   "#"};
  std::string text;
  for (std::size_t count = random() % 12; count > 0; --count) text += k_pieces[random() % k_pieces.size()];
  return text;
}

std::string random_path(std::mt19937& random) {
  return "src/" + std::string(1, static_cast<char>('a' + random() % 26)) + ".cpp";
}

// What a family can tell beside prefix and suffix.
FimPrompt random_prompt(const FimFamily& family, std::mt19937& random) {
  FimPrompt prompt = hole(family.form, random_text(random), random_text(random));
  const bool tells_paths =
      family.files == FimFiles::with_paths || family.files == FimFiles::headed || family.files == FimFiles::referenced;
  const bool tells_files = family.files != FimFiles::untold;
  const std::size_t files = tells_files ? random() % 4 : 0;
  for (std::size_t i = 0; i < files; ++i) {
    prompt.files.push_back({tells_paths ? random_path(random) : "", random_text(random)});
  }
  if (tells_paths && (files > 0 || random() % 2 == 0)) prompt.path = random_path(random);
  if (!family.before_repo.empty() && files > 0 && random() % 2 == 0) prompt.repo = "a/repo";
  if (family.files == FimFiles::referenced) prompt.language = "C++";
  return prompt;
}

}  // namespace

TEST_CASE("a prompt rendered for any family is read back as it was") {
  std::mt19937 random(7);
  for (const FimFamily& family : fim_families()) {
    for (int round = 0; round < 2'000; ++round) {
      const FimPrompt prompt = random_prompt(family, random);
      const std::string text = render_fim_prompt(family.form, prompt);
      CAPTURE(text);
      const auto read = parse_fim_prompt(text);
      REQUIRE(read);
      // Families that share their marks are told apart by what else they say.
      CHECK(is_same_fim_text(read->family, family.form, prompt));
      FimPrompt same = *read;
      same.family = family.form;
      CHECK(same == prompt);
    }
  }
}

TEST_CASE("what clients render is understood, family by family") {
  CHECK(parsed("<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>") == hole(FimForm::qwen, "P", "S"));
  CHECK(parsed("<fim_prefix>P<fim_suffix>\n<fim_middle>") == hole(FimForm::starcoder, "P", "\n"));
  CHECK(parsed("<PRE> P <SUF>S <MID>") == hole(FimForm::codellama, "P", "S"));
  CHECK(parsed("<｜fim▁begin｜>P<｜fim▁hole｜>S<｜fim▁end｜>") == hole(FimForm::deepseek, "P", "S"));
  CHECK(parsed("[SUFFIX]S[PREFIX]P") == hole(FimForm::codestral, "P", "S"));
  CHECK(parsed("<[fim-prefix]>P<[fim-suffix]>S<[fim-middle]>") == hole(FimForm::seed_coder, "P", "S"));
  CHECK(parsed("<|code_prefix|>P<|code_suffix|>S<|code_middle|>") == hole(FimForm::glm, "P", "S"));
  CHECK(parsed("<fim_prefix><fim_suffix><fim_middle>") == hole(FimForm::starcoder, "", ""));
}

TEST_CASE("other files come along, with the repository and the path of the hole's own") {
  FimPrompt qwen = hole(FimForm::qwen, "P", "S");
  qwen.files = {{"a.h", "int a;"}, {"b/c.h", "one\ntwo\n"}};
  qwen.repo = "shop";
  qwen.path = "cur.cpp";
  CHECK(parsed("<|repo_name|>shop\n<|file_sep|>a.h\nint a;\n<|file_sep|>b/c.h\none\ntwo\n\n<|file_sep|>cur.cpp\n"
               "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>") == qwen);
  CHECK(parsed("<|repo_name|> shop\n<|file_sep|> a.h\nint a;\n<|file_sep|> b/c.h\none\ntwo\n\n<|file_sep|> cur.cpp\n"
               "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>") == qwen);

  FimPrompt mercury = hole(FimForm::qwen, "P", "S");
  mercury.path = "m.py";
  CHECK(parsed("<|file_sep|>m.py\n<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>") == mercury);

  FimPrompt starcoder = hole(FimForm::starcoder, "P", "S");
  starcoder.files = {{"", "one"}, {"", "two"}};
  CHECK(parsed("<file_sep>one<file_sep>two<file_sep><fim_prefix>P<fim_suffix>S<fim_middle>") == starcoder);

  FimPrompt codestral = hole(FimForm::codestral, "P", "S");
  codestral.files = {{"a.py", "x = 1\n"}};
  codestral.path = "b.py";
  CHECK(parsed("[SUFFIX]S[PREFIX]+++++ a.py\nx = 1\n\n\n+++++ b.py\nP") == codestral);

  FimPrompt codegeex = hole(FimForm::codegeex, "P", "S");
  codegeex.files = {{"a.py", "x"}};
  codegeex.path = "b.py";
  codegeex.language = "python";
  CHECK(parsed("<|user|>\n###REFERENCE:\n###PATH:a.py\nx\n\n###PATH:b.py\n###LANGUAGE:python\n###MODE:BLOCK\n"
               "<|code_suffix|>S<|code_prefix|>P<|code_middle|><|assistant|>\n") == codegeex);

  FimPrompt codegemma = hole(FimForm::codegemma, "P", "S");
  codegemma.files = {{"a.h", "x"}};
  CHECK(parsed("<|file_separator|>a.h\nx\n<|file_separator|>\n<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>") ==
        codegemma);
}

TEST_CASE("a chat prompt with a hole gives the hole of its last query") {
  const std::string examples = "Fill the holes.\n<QUERY>\nx {{FILL_HERE}}\n</QUERY>\n<COMPLETION>1</COMPLETION>\n\n";
  const FimPrompt expected = hole(FimForm::hole_filler, "def f():\n  ", "\n\nf()");
  CHECK(parsed(examples + "<QUERY>\ndef f():\n  {{FILL_HERE}}\n\nf()\n</QUERY>\nTASK: Fill it.\n<COMPLETION>") ==
        expected);
  CHECK(parsed("<QUERY>def f():\n  {{FILL_HERE}}\n\nf()</QUERY> now <COMPLETION>\n") == expected);
  CHECK(parsed(render_fim_prompt(FimForm::hole_filler, expected)) == expected);
}

TEST_CASE("text that only holds such marks is not taken for a prompt of that shape") {
  for (const char* text : {"",
                           "int a;",
                           "<fim_prefix>P<fim_suffix>S",
                           "P<fim_suffix>S<fim_middle>",
                           "<fim_prefix>P<fim_middle>",
                           "// the <fim_prefix> mark\n<fim_prefix>P<fim_suffix>S<fim_middle>",
                           "<fim_prefix>P<fim_suffix>S<fim_middle>x",
                           "<fim_suffix>S<fim_prefix>P<fim_middle>",
                           "<fim_prefix>P<fim_prefix>Q<fim_suffix>S<fim_middle>",
                           "<fim_prefix>P<fim_suffix>S<fim_suffix>T<fim_middle>",
                           "<fim_prefix>P<fim_suffix>S<fim_middle><fim_middle>",
                           "<|fim_prefix|>P<fim_suffix>S<|fim_middle|>",
                           "<|file_sep|>a\nb",
                           "a [SUFFIX] and a [PREFIX] in a text",
                           "[PREFIX]P[SUFFIX]S",
                           "[SUFFIX]S",
                           "<QUERY>no hole</QUERY><COMPLETION>",
                           "{{FILL_HERE}}<COMPLETION>",
                           "<QUERY>{{FILL_HERE}}{{FILL_HERE}}</QUERY><COMPLETION>",
                           "<QUERY>a{{FILL_HERE}}</QUERY>",
                           "<|user|>\n<|code_suffix|>S<|code_prefix|>P<|code_middle|><|assistant|>\n",
                           "<file_sep>open<fim_prefix>P<fim_suffix>S<fim_middle>"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_fim_prompt(text));
  }
}

TEST_CASE("a family without marks for files gets them as headed text, and stops at such a heading") {
  FimPrompt prompt = hole(FimForm::suffix, "P", "S");
  prompt.files = {{"a.h", "int a;"}};
  prompt.path = "b.cpp";
  CHECK(render_fim_prompt(FimForm::codellama, prompt) == "<PRE> +++++ a.h\nint a;\n\n+++++ b.cpp\nP <SUF>S <MID>");
  CHECK(render_fim_prompt(FimForm::suffix, prompt) == "+++++ a.h\nint a;\n\n+++++ b.cpp\nP");
  CHECK(fim_stops(FimForm::codellama, prompt).back() == "\n+++++ ");
  CHECK(fim_stops(FimForm::codellama, hole(FimForm::suffix, "P", "S")).back() == "<EOT>");
  CHECK(fim_stops(FimForm::suffix, prompt).empty());
}

TEST_CASE("families that share their marks read each other's prompts, unless files stand before the hole") {
  FimPrompt prompt = hole(FimForm::qwen, "P", "S");
  CHECK(is_same_fim_text(FimForm::qwen, FimForm::codegemma, prompt));
  CHECK(is_same_fim_text(FimForm::qwen, FimForm::granite, prompt));
  CHECK_FALSE(is_same_fim_text(FimForm::qwen, FimForm::starcoder, prompt));
  CHECK_FALSE(is_same_fim_text(FimForm::glm, FimForm::codegeex, prompt));
  CHECK_FALSE(is_same_fim_text(FimForm::suffix, FimForm::qwen, prompt));
  prompt.files = {{"a.h", "x"}};
  CHECK_FALSE(is_same_fim_text(FimForm::qwen, FimForm::codegemma, prompt));
}

}  // namespace nemo::test::fim_prompt_test
