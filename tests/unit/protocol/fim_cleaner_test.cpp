#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "daemon/protocol/fim/answer_cleaner.h"

namespace nemo::test::fim_cleaner_test {

using namespace nemo::protocol;
using nemo::call::FimForm;

namespace {

using Cleaned = std::shared_ptr<const Cleaning>;

std::string in_pieces(const Cleaned& cleaning, const std::string& answer, const std::vector<std::size_t>& cuts) {
  AnswerCleaner cleaner(cleaning);
  std::string out;
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    cleaner.push(std::string_view(answer).substr(from, cut - from), out);
    from = cut;
  }
  cleaner.push(std::string_view(answer).substr(from), out);
  cleaner.finish(out);
  return out;
}

// Whole, byte by byte, and cut anywhere once: the same.
std::string cleaned(const Cleaned& cleaning, const std::string& answer) {
  const std::string whole = in_pieces(cleaning, answer, {});
  std::vector<std::size_t> everywhere;
  for (std::size_t cut = 1; cut < answer.size(); ++cut) {
    everywhere.push_back(cut);
    CAPTURE(answer);
    CAPTURE(cut);
    CHECK(in_pieces(cleaning, answer, {cut}) == whole);
  }
  CHECK(in_pieces(cleaning, answer, everywhere) == whole);
  return whole;
}

Cleaned around(const std::string& prefix, const std::string& suffix, std::vector<std::string> stops = {}) {
  return clean_hole({FimForm::suffix, prefix, suffix}, std::move(stops));
}

}  // namespace

TEST_CASE("the line with the hole goes when the answer begins with it again") {
  const auto cleaning = around("int main() {\n  int count = ", ";\n}\n");
  CHECK(cleaned(cleaning, "  int count = 5") == "5");
  CHECK(cleaned(cleaning, "int count = 5") == "5");
  CHECK(cleaned(cleaning, "5") == "5");
  CHECK(cleaned(cleaning, "int counter = 5") == "int counter = 5");
  CHECK(cleaned(around("for x in y:\n    ret", ""), "return x") == "urn x");
}

TEST_CASE("several lines before the hole go when the answer begins with them again, the most that there are") {
  const std::string prefix = "#include <x>\n\nint twice(int n) {\n  return ";
  const auto cleaning = around(prefix, ";\n}\n");
  CHECK(cleaned(cleaning, prefix + "2 * n") == "2 * n");
  CHECK(cleaned(cleaning, "int twice(int n) {\n  return 2 * n") == "2 * n");
  CHECK(cleaned(cleaning, "\n\nint twice(int n) {\n  return 2 * n") == "\n\nint twice(int n) {\n  return 2 * n");
  CHECK(cleaned(around("def twice(n):\n", ""), "def twice(n):\n    return 2 * n") == "    return 2 * n");
}

TEST_CASE("an echo inside fences goes with the fences") {
  CHECK(cleaned(around("def twice(n):\n    return ", "\n"), "```python\n    return 2 * n\n```") == "2 * n");
}

TEST_CASE("what may stand twice is not taken for an echo") {
  CHECK(cleaned(around("  }\n}\n", ""), "}\n}\n") == "}\n}\n");
  CHECK(cleaned(around("if x:\n    ", ""), "    y()") == "    y()");
  CHECK(cleaned(around("vector<", ""), "vector<int>> v;") == "vector<int>> v;");
  CHECK(cleaned(around("0,\n0,\n", ""), "0,\n0,\n0") == "0,\n0,\n0");
  CHECK(cleaned(around("", ""), "int x;") == "int x;");
}

TEST_CASE("an echo longer than what is looked at stays, and no more than that is held back") {
  const std::string line = "a line of the file\n";
  std::string prefix;
  while (prefix.size() < 2 * EchoFilter::k_longest) prefix += line;
  AnswerCleaner cleaner(around("int first;\n" + prefix, ""));
  std::string out;
  cleaner.push("int first;\n", out);
  CHECK(out == "int first;\n");
  AnswerCleaner echoing(around(prefix, ""));
  std::string echoed;
  echoing.push(prefix, echoed);
  CHECK(echoed.size() >= prefix.size() - EchoFilter::k_longest);
}

TEST_CASE("the end of an answer goes where the suffix begins with it") {
  const auto cleaning = around("int f() {\n  return ", ";\n}\n\nint main() {\n  return f();\n}\n");
  CHECK(cleaned(cleaning, "5;\n}\n\nint main() {") == "5");
  CHECK(cleaned(cleaning, "5;\n}\n\nint main() {\n  return f();\n}\n") == "5");
  CHECK(cleaned(cleaning, "5;\n}\n\nint other() {\n  return 6") == "5;\n}\n\nint other() {\n  return 6");
  CHECK(cleaned(cleaning, "5") == "5");
}

TEST_CASE("a bracket or a short line at the end is not taken for an overlap") {
  CHECK(cleaned(around("f(", ")"), "g(x)") == "g(x)");
  CHECK(cleaned(around("a\n", "\n}\n"), "b\n}\n") == "b\n}\n");
}

TEST_CASE("every stop text ends the answer, however many there are") {
  const std::vector<std::string> stops{"</s>", "<|a|>", "<|b|>", "<|c|>", "\n\n", "//"};
  const auto cleaning = around("x", "y", stops);
  CHECK(cleaned(cleaning, "one\ntwo\n\nthree") == "one\ntwo");
  CHECK(cleaned(cleaning, "one // note") == "one ");
  CHECK(cleaned(cleaning, "one / two") == "one / two");
  CHECK(cleaned(cleaning, "<|b|>") == "");
  CHECK(cleaned(clean_stops(stops), "```\none\n```//") == "```\none\n```");
}

TEST_CASE("of stop texts in one another the first that is complete counts") {
  CHECK(cleaned(clean_stops({"abcd", "bc"}), "xabcd") == "xa");
  CHECK(cleaned(clean_stops({"bc", "abc"}), "xabcd") == "x");
  CHECK(cleaned(clean_stops({"aab"}), "aaab") == "a");
}

TEST_CASE("stop texts are looked for after fences and an echo are gone, and an overlap ends before a stop") {
  CHECK(cleaned(around("if x:\n    return ", "", {"\n"}), "```py\n    return 1\nelse:\n```") == "1");
  CHECK(cleaned(around("a = ", "\nprint_all(a)\n", {"\n\n"}), "5\nprint_all(a)\n\nmore") == "5");
}

TEST_CASE("nothing is said after a stop text") {
  AnswerCleaner cleaner(clean_stops({"END"}));
  std::string out;
  cleaner.push("a", out);
  CHECK_FALSE(cleaner.has_stopped());
  cleaner.push("END", out);
  CHECK(cleaner.has_stopped());
  cleaner.push("b", out);
  cleaner.finish(out);
  CHECK(out == "a");
}

TEST_CASE("text that is no part of anything passes at once") {
  AnswerCleaner cleaner(around("int f() {\n  return ", ";\n}\n", {"\n\n", "<|endoftext|>"}));
  std::string out;
  cleaner.push("value", out);
  CHECK(out == "value");
  cleaner.push(" + 1;", out);
  CHECK(out == "value + 1");  // the suffix begins with ";"
  cleaner.push(" // and", out);
  CHECK(out == "value + 1; // and");
}

TEST_CASE("random answers are cleaned the same whole and in any pieces, and lose only what may go") {
  std::mt19937 random(11);
  const std::vector<std::string> pieces{"return ", "x", "\n",   "    ", "```",         "`",   "py\n", "foo(", ")",
                                        ";",       "é", "\n\n", "}",    "def f(x):\n", "END", "E",    "\r\n"};
  const auto make = [&](std::size_t most) {
    std::string text;
    for (std::size_t count = random() % most; count > 0; --count) text += pieces[random() % pieces.size()];
    return text;
  };
  for (int round = 0; round < 20'000; ++round) {
    const std::string prefix = make(10);
    const std::string suffix = make(10);
    const auto cleaning = around(prefix, suffix, {"END", "\n\n"});
    std::string answer = make(14);
    if (random() % 2 == 0) answer = prefix.substr(prefix.empty() ? 0 : random() % prefix.size()) + answer;
    if (random() % 2 == 0) answer += suffix.substr(0, suffix.empty() ? 0 : random() % suffix.size());
    if (random() % 4 == 0) answer = "```\n" + answer + "\n```";
    const std::string whole = in_pieces(cleaning, answer, {});
    std::vector<std::size_t> cuts;
    for (std::size_t cut = 0; cut < answer.size(); ++cut) {
      if (random() % 3 == 0) cuts.push_back(cut);
    }
    CAPTURE(prefix);
    CAPTURE(suffix);
    CAPTURE(answer);
    REQUIRE(in_pieces(cleaning, answer, cuts) == whole);
    REQUIRE(answer.find(whole) != std::string::npos);  // what is left is in one piece
  }
}

TEST_CASE("an answer with nothing to clean is the same after cleaning") {
  std::mt19937 random(13);
  for (int round = 0; round < 5'000; ++round) {
    std::string answer;
    for (std::size_t count = random() % 40; count > 0; --count) answer += static_cast<char>('a' + random() % 4);
    REQUIRE(in_pieces(around("XYZ\n  W", "V\nVVVVVVVVVVV", {"\n\n"}), answer, {}) == answer);
  }
}

}  // namespace nemo::test::fim_cleaner_test
