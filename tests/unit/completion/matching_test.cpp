#include "daemon/completion/matching.h"

#include <doctest/doctest.h>

namespace nemo::test::matching_test {

using namespace nemo::completion;

namespace {

Asked at(std::string prefix, std::string suffix = "") {
  Asked asked;
  asked.prefix = std::move(prefix);
  asked.suffix = std::move(suffix);
  asked.has_hole = true;
  return asked;
}

// Lines that do not repeat themselves.
std::string lines(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += "line " + std::to_string(i * 7919) + ";\n";
  return text.substr(0, bytes);
}

}  // namespace

TEST_CASE("a window that was cut is the same text when enough of it is left") {
  const std::string whole = lines(4'000);
  const auto last = [&](std::size_t count) { return whole.substr(whole.size() - count); };
  CHECK(prefixes_agree(whole, whole) == Agreement::whole);
  CHECK(prefixes_agree("", "") == Agreement::whole);
  CHECK(prefixes_agree(whole, last(k_least_overlap)) == Agreement::cut);
  CHECK(prefixes_agree(last(k_least_overlap), whole) == Agreement::cut);
  CHECK(prefixes_agree(whole, last(k_least_overlap - 1)) == Agreement::none);
  CHECK(prefixes_agree("", whole) == Agreement::none);
  std::string other = last(1'000);
  other[0] = '#';
  CHECK(prefixes_agree(whole, other) == Agreement::none);
}

TEST_CASE("behind the cursor the far end may be cut") {
  const std::string whole = lines(2'000);
  CHECK(suffixes_agree("", ""));
  CHECK(suffixes_agree(whole, whole.substr(0, k_least_suffix_overlap)));
  CHECK_FALSE(suffixes_agree(whole, whole.substr(0, k_least_suffix_overlap - 1)));
  CHECK_FALSE(suffixes_agree(whole, ""));
  CHECK_FALSE(suffixes_agree(whole, whole.substr(1)));
}

TEST_CASE("a bracket that the editor closed is the end of the rest, or nothing that is known") {
  CHECK(find_insertion("\n}", "\n}", "x)") == 0);
  CHECK(find_insertion("\n}", ")\n}", "a, b)") == 1);
  CHECK(find_insertion("", "\");", "text\");") == 3);
  CHECK_FALSE(find_insertion("\n}", ")\n}", "a, b);"));  // more would come behind the bracket
  CHECK_FALSE(find_insertion("\n}", "]\n}", "a, b)"));
  const std::string brackets(k_longest_insertion + 1, ')');
  CHECK_FALSE(find_insertion("", brackets, "x" + brackets));
}

TEST_CASE("a step is what was typed and taken back at one place") {
  const Asked more = at("let total = 12 + ");
  const auto step = find_step(at("let total = 1"), more);
  REQUIRE(step);
  CHECK(step->typed == "2 + ");
  CHECK(step->taken_back == 0);
  const Asked other = at("let total = 14");
  const auto back = find_step(at("let total = 123"), other);
  REQUIRE(back);
  CHECK(back->taken_back == 2);
  CHECK(back->typed == "4");
  CHECK(find_step(at("abc", "x"), at("abc", "x"))->is_identical);
  CHECK_FALSE(find_step(at("abc"), at("abc", "x"))->is_identical);
}

TEST_CASE("without a word of what stands behind the cursor only more text is a step") {
  Asked two = at("What is 2 + 2?\nAnswer:");
  two.has_hole = false;
  Asked three = at("What is 2 + 3?\nAnswer:");
  three.has_hole = false;
  CHECK_FALSE(find_step(two, three));
  Asked more = at("What is 2 + 2?\nAnswer: fo");
  more.has_hole = false;
  CHECK(find_step(two, more)->typed == " fo");
}

TEST_CASE("other files and other places are no step") {
  CHECK_FALSE(find_step(at("// a.cpp\nint f() {\n"), at("// b.cpp\nint g() {\n")));
  CHECK_FALSE(find_step(at(""), at("x")));
  CHECK_FALSE(find_step(at("const a = 1;", "\nfoo();\n" + lines(300)), at("const a = 1;", "\nbar();\n" + lines(300))));
  const std::string licence = lines(900);
  CHECK_FALSE(find_step(at(licence + "int first_of_a_file = 1; // and more of it"), at(licence + "other")));
  CHECK_FALSE(find_step(at("x"), at("x" + lines(k_most_added + 1))));
}

TEST_CASE("a window that moves on between two requests is one place still") {
  const std::string whole = lines(3'000);
  const Asked moved_on = at(whole.substr(1'200) + "typed");
  const auto step = find_step(at(whole.substr(1'000)), moved_on);
  REQUIRE(step);
  CHECK(step->typed == "typed");
  const Asked moved_back = at(whole.substr(1'000) + "typed");
  const auto grown = find_step(at(whole.substr(1'200)), moved_back);
  REQUIRE(grown);
  CHECK(grown->typed == "typed");
}

}  // namespace nemo::test::matching_test
