#include "daemon/completion/acceptance.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using nemo::SteadyTime;
using nemo::completion::Acceptance;
using nemo::completion::Verdict;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const SteadyTime k_start{};

// What is said of the calls, such as "a+ b-".
std::string verdicts(const std::vector<Verdict>& list) {
  std::string out;
  for (const Verdict& verdict : list) {
    if (!out.empty()) out += ' ';
    out += verdict.call_id + (verdict.accepted ? "+" : "-");
  }
  return out;
}

// One editor that prompts again at once.
struct Editor {
  Acceptance acceptance;

  void suggested(const std::string& call, std::string_view text, std::string_view prompt = "") {
    acceptance.suggested("key", call, text, prompt, k_start);
  }
  std::string prompts(std::string_view prompt) { return verdicts(acceptance.observe("key", prompt, k_start)); }
};

// "+": the next prompt shows that the suggestion was taken.
std::string verdict_on(std::string_view suggestion, std::string_view next_prompt) {
  Editor editor;
  editor.suggested("", suggestion);
  return editor.prompts(next_prompt);
}

}  // namespace

TEST_CASE("a suggestion that stands in the next prompt was taken, and is judged once") {
  Editor editor;
  editor.suggested("a", "return x + y;", "int add(int x, int y) { ");
  CHECK(editor.prompts("int add(int x, int y) { return x + y; }\nint ") == "a+");
  CHECK(editor.prompts("int add(int x, int y) { return x + y; }\nint ").empty());
}

TEST_CASE("what is not taken within five prompts was not accepted, and not before the fifth") {
  Editor editor;
  editor.suggested("a", "return x;");
  for (int i = 0; i < 4; ++i) CHECK(editor.prompts("something else").empty());
  CHECK(editor.prompts("something else") == "a-");
  CHECK(editor.prompts("return x;").empty());
}

TEST_CASE("a suggestion that is taken after some prompts without it was accepted") {
  Editor editor;
  editor.suggested("a", "return x;");
  for (int i = 0; i < 4; ++i) CHECK(editor.prompts("something else").empty());
  CHECK(editor.prompts("return x;") == "a+");
}

TEST_CASE("a suggestion older than two minutes was not accepted, whatever the prompt holds") {
  Acceptance acceptance;
  acceptance.suggested("key", "a", "return x;", "", k_start);
  acceptance.suggested("key", "b", "return y;", "", k_start + milliseconds(1));
  const auto late = acceptance.observe("key", "return x; return y;", k_start + minutes(2) + milliseconds(1));
  CHECK(verdicts(late) == "a- b+");
}

TEST_CASE("only the first line that is not blank counts, without the white space at its ends") {
  CHECK(verdict_on("\n  \n    if (x) {  \n  return;\n}", "if (x) {\n  break;") == "+");
  CHECK(verdict_on("\tfoo();", "foo();") == "+");
  CHECK(verdict_on("foo();\nbar();", "fo bar();").empty());
}

TEST_CASE("a first line of less than three characters tells nothing, so the next line counts too") {
  CHECK(verdict_on("{\n  foo();\n  bar();", "if {\n  other").empty());
  CHECK(verdict_on("{\n  foo();\n  bar();", "if {\n  foo(); }") == "+");
  CHECK(verdict_on("}\n\n  foo();", "}\n\n  foo();") == "+");
  CHECK(verdict_on("\xC3\xA9\xC3\xA9\nfoo", "\xC3\xA9\xC3\xA9\nbar").empty());
  CHECK(verdict_on("\xC3\xA9\xC3\xA9\xC3\xA9\nfoo", "\xC3\xA9\xC3\xA9\xC3\xA9\nbar") == "+");
  CHECK(verdict_on(")", "f()") == "+");
}

TEST_CASE("lines that an editor ends with a carriage return too are the same lines") {
  CHECK(verdict_on("{\n  foo();", "if {\r\n  foo();\r\n") == "+");
  CHECK(verdict_on("{\r\n  foo();", "if {\n  foo();\n") == "+");
}

TEST_CASE("a suggestion that stood in its own prompt, or is blank, cannot be judged") {
  Editor editor;
  editor.suggested("a", "  }  ", "if (x) { }");
  editor.suggested("b", "");
  editor.suggested("c", " \n\t ");
  editor.suggested("d", "\n return x;", "return x;");
  for (int i = 0; i < 6; ++i) CHECK(editor.prompts("} return x;").empty());
}

TEST_CASE("verdicts come oldest first and each by its own prompts") {
  Editor editor;
  editor.suggested("a", "alpha");
  CHECK(editor.prompts("x").empty());
  editor.suggested("b", "beta");
  for (int i = 0; i < 3; ++i) CHECK(editor.prompts("x").empty());
  CHECK(editor.prompts("beta") == "a- b+");
}

TEST_CASE("what one key was suggested is not looked for in another's prompts") {
  Acceptance acceptance;
  acceptance.suggested("one", "a", "return x;", "", k_start);
  CHECK(acceptance.observe("other", "return x;", k_start).empty());
  CHECK(verdicts(acceptance.observe("one", "return x;", k_start)) == "a+");
}

TEST_CASE("eight suggestions of a payer are kept, and the oldest is forgotten without a verdict") {
  Editor editor;
  std::string prompt;
  for (int i = 0; i < 9; ++i) {
    const std::string text = "suggestion" + std::to_string(i);
    editor.suggested(std::to_string(i), text);
    prompt += text + "\n";
  }
  CHECK(editor.prompts(prompt) == "1+ 2+ 3+ 4+ 5+ 6+ 7+ 8+");
}

TEST_CASE("of a long suggestion its first four kilobytes count") {
  const std::string line(4096, 'x');
  CHECK(verdict_on(line + "yyy", line + "zzz") == "+");
  CHECK(verdict_on(line + "yyy", line.substr(1)).empty());
}

TEST_CASE("4,096 payers are remembered; who was suggested something the longest ago is forgotten") {
  Acceptance acceptance;
  const auto name = [](int i) { return "key" + std::to_string(i); };
  for (int i = 0; i < 4096; ++i) acceptance.suggested(name(i), "old", "return x;", "", k_start);
  acceptance.suggested(name(0), "new", "return y;", "", k_start);  // 1 is the oldest now
  acceptance.suggested("one more", "a", "return x;", "", k_start);
  CHECK(acceptance.observe(name(1), "return x;", k_start).empty());
  CHECK(verdicts(acceptance.observe(name(0), "return x; return y;", k_start)) == "old+ new+");
  CHECK(verdicts(acceptance.observe(name(2), "return x;", k_start)) == "old+");
  CHECK(verdicts(acceptance.observe("one more", "return x;", k_start)) == "a+");
}

TEST_CASE("a payer whose suggestions are judged makes room for another") {
  Acceptance acceptance;
  const auto name = [](int i) { return "key" + std::to_string(i); };
  for (int i = 0; i < 4096; ++i) acceptance.suggested(name(i), "a", "return x;", "", k_start);
  CHECK(verdicts(acceptance.observe(name(9), "return x;", k_start)) == "a+");
  acceptance.suggested("one more", "a", "return x;", "", k_start);
  CHECK(verdicts(acceptance.observe(name(0), "return x;", k_start)) == "a+");
}

TEST_CASE("in a huge prompt the end is looked at, where the cursor is") {
  CHECK(verdict_on("return x;", std::string(1'000'000, 'a') + "return x;") == "+");
  CHECK(verdict_on("return x;", "return x;" + std::string(1'000'000, 'a')).empty());
}

TEST_CASE("threads that suggest and prompt at once get every verdict at most once") {
  constexpr int k_calls = 500;
  Acceptance acceptance;
  std::atomic<int> judged{0};
  std::vector<std::atomic<int>> times(2 * k_calls);
  const auto work = [&](int first) {
    for (int i = first; i < first + k_calls; ++i) {
      acceptance.suggested("key", std::to_string(i), "suggestion " + std::to_string(i % 3), "", k_start + seconds(i));
      for (const Verdict& verdict : acceptance.observe("key", "suggestion 1", k_start + seconds(i))) {
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
