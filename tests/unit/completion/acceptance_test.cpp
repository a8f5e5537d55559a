#include "daemon/completion/acceptance.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

namespace nemo::test::acceptance_test {

using nemo::SteadyTime;
using nemo::completion::Acceptance;
using nemo::completion::Around;
using nemo::completion::Verdict;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const SteadyTime k_start{};

// What is said of the calls, such as "a:12 b:0": up to where each was accepted.
std::string verdicts(const std::vector<Verdict>& list) {
  std::string out;
  for (const Verdict& verdict : list) {
    if (!out.empty()) out += ' ';
    out += verdict.call_id + ":" + std::to_string(verdict.accepted_bytes);
  }
  return out;
}

// One editor that prompts again at once.
struct Editor {
  Acceptance acceptance;

  std::size_t suggested(const std::string& call, std::string_view text,
                        std::string_view prefix = "x = ", std::string_view suffix = "") {
    return acceptance.suggested("anna", call, text, Around(prefix, suffix), k_start);
  }
  std::string prompts(std::string_view prefix, std::string_view suffix = "") {
    return verdicts(acceptance.observe("anna", Around(prefix, suffix), k_start));
  }
  // Prompts about another file, until all that waits is judged.
  std::string turns_away() {
    std::string all;
    for (int i = 0; i < 5; ++i) {
      const std::string some = prompts("something else");
      all += (all.empty() || some.empty() ? "" : " ") + some;
    }
    return all;
  }
  void types(std::string_view before, std::string_view text) {
    std::string prefix(before);
    for (const char c : text) CHECK(prompts(prefix += c).empty());
  }
};

std::string lines_of_code(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += "value_" + std::to_string(i) + " = compute(" + std::to_string(i) + ");\n";
  return text;
}

}  // namespace

TEST_CASE("a suggestion all of which stands behind its place in the next prompt was accepted in full, once") {
  Editor editor;
  CHECK(editor.suggested("a", "compute();") == 10);
  CHECK(editor.prompts("x = compute();\ny = ") == "a:10");
  CHECK(editor.prompts("x = compute();\ny = ").empty());
}

TEST_CASE("what is not taken within five prompts is dismissed, and not before the fifth") {
  Editor editor;
  editor.suggested("a", "compute();");
  for (int i = 0; i < 4; ++i) CHECK(editor.prompts("x = other").empty());
  CHECK(editor.prompts("x = other") == "a:0");
  CHECK(editor.prompts("x = compute();").empty());
}

TEST_CASE("a suggestion that is taken after some prompts about other places was accepted") {
  Editor editor;
  editor.suggested("a", "compute();");
  for (int i = 0; i < 4; ++i) CHECK(editor.prompts("something else").empty());
  CHECK(editor.prompts("x = compute();") == "a:10");
}

TEST_CASE("after two minutes the next prompt dismisses what was not taken, whatever it holds") {
  Acceptance acceptance;
  acceptance.suggested("anna", "a", "compute();", Around("x = ", ""), k_start);
  acceptance.suggested("anna", "b", "compare();", Around("y = ", ""), k_start + milliseconds(1));
  const auto late = acceptance.observe("anna", Around("x = compute();", ""), k_start + minutes(2) + milliseconds(1));
  CHECK(verdicts(late) == "a:0");
}

TEST_CASE("a beginning that came at once was accepted in part, up to there") {
  Editor editor;
  editor.suggested("a", "compute(first, second);");
  CHECK(editor.prompts("x = compute(").empty());
  CHECK(editor.turns_away() == "a:8");
}

TEST_CASE("word by word a suggestion is accepted in full") {
  Editor editor;
  editor.suggested("a", "compute(first, second);");
  CHECK(editor.prompts("x = compute(").empty());
  CHECK(editor.prompts("x = compute(first, ").empty());
  CHECK(editor.prompts("x = compute(first, second);") == "a:23");
}

TEST_CASE("what is typed character by character was not taken, be it all of it") {
  Editor editor;
  editor.suggested("a", "compute();");
  editor.types("x = ", "compute()");
  CHECK(editor.prompts("x = compute();") == "a:0");
}

TEST_CASE("typing along counts no prompts, and the rest that is taken at the end accepts all of it") {
  Editor editor;
  editor.suggested("a", "compute(first);");
  editor.types("x = ", "compute(");
  CHECK(editor.prompts("x = compute(first);") == "a:15");
}

TEST_CASE("what is typed behind an accepted beginning is not accepted with it") {
  Editor editor;
  editor.suggested("a", "compute(a, b);");
  CHECK(editor.prompts("x = compute(").empty());
  editor.types("x = compute(", "a, ");
  CHECK(editor.turns_away() == "a:8");
}

TEST_CASE("three characters at once were taken, two were typed, unless they are the whole suggestion") {
  for (const auto& [text, taken, verdict] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"abcdef", "abc", "a:3"}, {"abcdef", "ab", "a:0"}, {"\xC3\xA9\xC3\xA9xyz", "\xC3\xA9\xC3\xA9", "a:0"}}) {
    Editor editor;
    editor.suggested("a", text);
    CHECK(editor.prompts("x = " + taken).empty());
    CHECK(editor.turns_away() == verdict);
  }
  Editor editor;
  editor.suggested("a", ");");
  CHECK(editor.prompts("x = );") == "a:2");
}

TEST_CASE("a beginning that goes on in another way counts by whole lines") {
  Editor editor;
  editor.suggested("a", "return a;", "one {\n");
  editor.suggested("b", "first();\nsecond();", "two {\n");
  CHECK(editor.prompts("one {\nreturn b;").empty());
  CHECK(editor.prompts("two {\nfirst();\nother();").empty());
  CHECK(editor.turns_away() == "a:0 b:8");
}

TEST_CASE("a slip of the finger and its correction are no acceptance") {
  Editor editor;
  editor.suggested("a", "compute(first);");
  editor.types("x = ", "comp");
  CHECK(editor.prompts("x = compx").empty());
  CHECK(editor.prompts("x = comp").empty());
  CHECK(editor.turns_away() == "a:0");
}

TEST_CASE("what is taken back again was not accepted") {
  Editor editor;
  editor.suggested("a", "compute(first);");
  CHECK(editor.prompts("x = compute(").empty());
  CHECK(editor.prompts("x = ").empty());
  CHECK(editor.turns_away() == "a:0");
}

TEST_CASE("white space around a suggestion and carriage returns are not looked at") {
  Editor editor;
  CHECK(editor.suggested("a", "\n    one();\n    two();\n", "def f():") == 17);
  CHECK(editor.prompts("def f():\r\n    one();\r\n    two();\r\n    ") == "a:17");
  CHECK(editor.suggested("b", "one();\r\ntwo();", "if {\r\n") == 13);
  CHECK(editor.prompts("if {\none();\ntwo();") == "b:13");
  CHECK(editor.suggested("c", " \n\t ") == 0);
  CHECK(editor.turns_away().empty());
}

TEST_CASE("a bracket that the editor has closed behind the cursor belongs to what was accepted") {
  Editor editor;
  editor.suggested("a", "compute(first)", "x = ", ";\nreturn x;\n");
  CHECK(editor.prompts("x = compute(first", ");\nreturn x;\n") == "a:14");
}

TEST_CASE("the same text behind another place is not the suggestion") {
  Editor editor;
  editor.suggested("a", "compute();", "x = ", "\nreturn x;\n");
  CHECK(editor.prompts("y = compute();", "\nreturn x;\n").empty());
  CHECK(editor.prompts("x = compute();", "\nreturn y;\n").empty());
  CHECK(editor.prompts("x = compute();", "\nreturn x;\n") == "a:10");
}

TEST_CASE("a cursor that moves over what stood behind it accepts nothing") {
  Editor editor;
  editor.suggested("a", "first, second):", "def f(", "first, second):\n    pass");
  CHECK(editor.prompts("def f(first, second):", "\n    pass").empty());
  CHECK(editor.turns_away() == "a:0");
}

TEST_CASE("an editor's window may move on") {
  Editor editor;
  const std::string file = lines_of_code(0, 200);
  const std::string window = file.substr(file.size() - 2'000);
  editor.suggested("a", "compute();", window + "x = ");
  const std::string taken = file + "x = compute();";
  CHECK(editor.prompts(taken.substr(taken.size() - 1'500)) == "a:10");
  // Too little in common to be sure.
  editor.suggested("b", "compute();", window + "x = ");
  CHECK(editor.prompts(taken.substr(taken.size() - 300)).empty());
  // All of the file, where it was a window before.
  CHECK(editor.prompts(taken) == "b:10");
}

TEST_CASE("a window that fits in two places tells nothing") {
  Editor editor;
  std::string same;
  for (int i = 0; i < 400; ++i) same += "a = 1;\n";
  editor.suggested("a", "compute();", same.substr(7));
  CHECK(editor.prompts(same + "compute();").empty());
}

TEST_CASE("a rest that is shown again is the same suggestion, whichever call ended first") {
  Editor editor;
  editor.suggested("a", "compute(first);");
  editor.types("x = ", "com");
  CHECK(editor.suggested("b", "pute(first);", "x = com") == 0);
  CHECK(editor.prompts("x = compute(first);") == "a:15");

  CHECK(editor.suggested("d", "pare();", "y = com") == 7);
  CHECK(editor.suggested("c", "compare();", "y = ") == 0);
  CHECK(editor.prompts("y = compare();") == "d:7");
}

TEST_CASE("a rest without the bracket that the editor has closed is the same suggestion") {
  Editor editor;
  editor.suggested("a", "compute(first)", "x = ", ";\n");
  CHECK(editor.suggested("b", "first", "x = compute(", ");\n") == 0);
  CHECK(editor.prompts("x = compute(first", ");\n") == "a:14");
}

TEST_CASE("what is shown again after it was judged is shown once more, and so is another answer") {
  Editor editor;
  editor.suggested("a", "compute();");
  CHECK(editor.suggested("b", "compare();") == 10);
  CHECK(editor.turns_away() == "a:0 b:0");
  CHECK(editor.suggested("c", "compute();") == 10);
  CHECK(editor.suggested("d", "compu") == 5);  // not the rest of it: it ends sooner
}

TEST_CASE("verdicts come oldest first and each by its own prompts") {
  Editor editor;
  editor.suggested("a", "alpha");
  CHECK(editor.prompts("z").empty());
  editor.suggested("b", "beta", "y = ");
  for (int i = 0; i < 3; ++i) CHECK(editor.prompts("z").empty());
  CHECK(editor.prompts("y = beta") == "a:0 b:4");
}

TEST_CASE("what one seat was suggested is not looked for in another's prompts") {
  Acceptance acceptance;
  acceptance.suggested("anna", "a", "compute();", Around("x = ", ""), k_start);
  CHECK(acceptance.observe("ben", Around("x = compute();", ""), k_start).empty());
  CHECK(verdicts(acceptance.observe("anna", Around("x = compute();", ""), k_start)) == "a:10");
}

TEST_CASE("eight suggestions of a seat are kept, and the oldest is forgotten without a verdict") {
  Editor editor;
  for (int i = 0; i < 9; ++i) editor.suggested(std::to_string(i), "compute" + std::to_string(i));
  CHECK(editor.turns_away() == "1:0 2:0 3:0 4:0 5:0 6:0 7:0 8:0");
}

TEST_CASE("of a long suggestion its first two kilobytes count") {
  const std::string code = lines_of_code(0, 200);
  Editor editor;
  CHECK(editor.suggested("a", code) == 2'048);
  CHECK(editor.prompts("x = " + code.substr(0, 2'040)).empty());
  CHECK(editor.prompts("x = " + code.substr(0, 4'000)) == "a:2048");
}

TEST_CASE("1,024 seats are remembered; who was suggested something the longest ago is forgotten") {
  Acceptance acceptance;
  const Around before("x = ", "");
  const Around after("x = compute();", "");
  const auto name = [](int i) { return "seat" + std::to_string(i); };
  for (int i = 0; i < 1'024; ++i) acceptance.suggested(name(i), "old", "compute();", before, k_start);
  acceptance.suggested(name(0), "new", "other();", before, k_start);  // 1 is the oldest now
  acceptance.suggested("one more", "a", "compute();", before, k_start);
  CHECK(acceptance.observe(name(1), after, k_start).empty());
  CHECK(verdicts(acceptance.observe(name(0), after, k_start)) == "old:10");
  CHECK(verdicts(acceptance.observe(name(2), after, k_start)) == "old:10");
  CHECK(verdicts(acceptance.observe("one more", after, k_start)) == "a:10");
}

TEST_CASE("threads that suggest and prompt at once get every verdict at most once") {
  constexpr int k_calls = 500;
  Acceptance acceptance;
  std::atomic<int> judged{0};
  std::vector<std::atomic<int>> times(2 * k_calls);
  const auto work = [&](int first) {
    for (int i = first; i < first + k_calls; ++i) {
      acceptance.suggested("anna", std::to_string(i), "suggestion " + std::to_string(i % 3), Around("x = ", ""),
                           k_start + seconds(i));
      for (const Verdict& verdict : acceptance.observe("anna", Around("x = suggestion 1", ""), k_start + seconds(i))) {
        ++times[static_cast<std::size_t>(std::stoi(verdict.call_id))];
        ++judged;
      }
    }
  };
  std::thread other(work, k_calls);
  work(0);
  other.join();
  CHECK(judged > 0);
  for (const auto& count : times) CHECK(count <= 1);
}

}  // namespace nemo::test::acceptance_test
