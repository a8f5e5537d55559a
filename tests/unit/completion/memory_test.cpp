#include "daemon/completion/memory.h"

#include <doctest/doctest.h>

#include <map>

namespace nemo::test::memory_test {

using namespace nemo;
using namespace nemo::completion;

namespace {

struct CountingBell final : Bell {
  int rings = 0;
  void ring() noexcept override { ++rings; }
};

constexpr WallTime k_now{Micros(1'000'000'000)};
constexpr WallTime k_ever{};

std::string lines(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += "line " + std::to_string(i * 7919) + ";\n";
  return text.substr(0, bytes);
}

struct Desk {
  Memory memory;
  CountingBell bell;

  static std::shared_ptr<Asked> asked(std::string prefix, std::string suffix = "", std::string seat = "ann") {
    auto made = std::make_shared<Asked>();
    made->has_hole = true;
    made->seat = std::move(seat);
    made->terms = "model=m";
    made->prefix = std::move(prefix);
    made->suffix = std::move(suffix);
    return made;
  }
  std::shared_ptr<Lead> lead(const std::shared_ptr<Asked>& question) {
    auto joined = memory.join(question, k_ever, bell);
    REQUIRE(std::holds_alternative<std::shared_ptr<Lead>>(joined));
    return std::get<std::shared_ptr<Lead>>(joined);
  }
  void learn(const std::shared_ptr<Asked>& question, const std::string& answer, Ending ending = Ending::by_itself,
             WallTime now = k_now) {
    const auto made = lead(question);
    made->append(answer);
    made->end(ending, now);
  }
  std::optional<std::string> rest(const std::shared_ptr<Asked>& question, WallTime oldest = k_ever) {
    auto found = memory.find(*question, oldest, bell);
    if (auto* known = std::get_if<Memory::Rest>(&found)) return known->text;
    return std::nullopt;
  }
};

using Heard = Following::Heard;

}  // namespace

TEST_CASE("typing what was suggested is answered with what is left of it") {
  Desk desk;
  desk.learn(Desk::asked("int main() {\n  ret", "\n}\n"), "urn 0;");
  CHECK(desk.rest(Desk::asked("int main() {\n  ret", "\n}\n")) == "urn 0;");
  CHECK(desk.rest(Desk::asked("int main() {\n  return", "\n}\n")) == " 0;");
  CHECK(desk.rest(Desk::asked("int main() {\n  return 0", "\n}\n")) == ";");
}

TEST_CASE("what disagrees, is used up or is about something else is not answered") {
  Desk desk;
  desk.learn(Desk::asked("int main() {\n  ret", "\n}\n"), "urn 0;");
  CHECK_FALSE(desk.rest(Desk::asked("int main() {\n  rex", "\n}\n")));
  CHECK_FALSE(desk.rest(Desk::asked("int main() {\n  return 0;", "\n}\n")));
  CHECK_FALSE(desk.rest(Desk::asked("int main() {\n  return 0;\n", "\n}\n")));
  CHECK_FALSE(desk.rest(Desk::asked("int main() {\n  re", "\n}\n")));
  CHECK_FALSE(desk.rest(Desk::asked("int main() {\n  return", "")));
  CHECK_FALSE(desk.rest(Desk::asked("int main() {\n  return", "\n}\nint more;")));
  CHECK_FALSE(desk.rest(Desk::asked("int main() {\n  return", "\n}\n", "bob")));
  CHECK_FALSE(desk.rest(Desk::asked("long main() {\n  return", "\n}\n")));
  auto other_terms = Desk::asked("int main() {\n  return", "\n}\n");
  other_terms->terms = "model=other";
  CHECK_FALSE(desk.rest(other_terms));
  auto random = Desk::asked("int main() {\n  return", "\n}\n");
  random->may_share = false;
  CHECK_FALSE(desk.rest(random));
}

TEST_CASE("an equal request has the answer only if an editor sent it and wants no chance; a typed one in any case") {
  Desk desk;
  desk.learn(Desk::asked("int a = "), "f(1);");
  const auto with = [](const std::string& prefix, bool has_hole, bool is_steady) {
    auto made = Desk::asked(prefix);
    made->has_hole = has_hole;
    made->is_steady = is_steady;
    return made;
  };
  CHECK(desk.rest(with("int a = ", true, true)) == "f(1);");
  CHECK_FALSE(desk.rest(with("int a = ", false, true)));
  CHECK_FALSE(desk.rest(with("int a = ", true, false)));
  CHECK(desk.rest(with("int a = f", false, false)) == "(1);");
}

TEST_CASE("an empty answer is not kept, nor one that broke off, nor one too old") {
  Desk desk;
  desk.learn(Desk::asked("a"), "");
  CHECK_FALSE(desk.rest(Desk::asked("a")));
  {
    const auto lead = desk.lead(Desk::asked("b"));
    lead->append("half");
  }
  CHECK_FALSE(desk.rest(Desk::asked("b")));
  desk.learn(Desk::asked("c"), "text");
  CHECK(desk.rest(Desk::asked("c"), k_now) == "text");
  CHECK_FALSE(desk.rest(Desk::asked("c"), k_now + Micros(1)));
  CHECK_FALSE(desk.rest(Desk::asked("c")));  // it is gone
}

TEST_CASE("a window that moved is recognised, in both directions") {
  Desk desk;
  const std::string file = lines(6'000);
  desk.learn(Desk::asked(file.substr(3'000)), "next line\nand one");
  CHECK(desk.rest(Desk::asked(file + "next ")) == "line\nand one");
  CHECK(desk.rest(Desk::asked(file.substr(4'000) + "next ")) == "line\nand one");
  CHECK(desk.rest(Desk::asked(file.substr(6'000 - 512) + "next ")) == "line\nand one");
  CHECK_FALSE(desk.rest(Desk::asked(file.substr(6'000 - 511) + "next ")));
}

TEST_CASE("a text that repeats itself does not say how much was typed") {
  Desk desk;
  const std::string blank(2'000, ' ');
  desk.learn(Desk::asked(blank), "    return;");
  CHECK(desk.rest(Desk::asked(blank)) == "    return;");         // the same question
  CHECK(desk.rest(Desk::asked(blank + "  ")) == "  return;");    // uncut, so that it is known
  CHECK_FALSE(desk.rest(Desk::asked(std::string(1'900, ' '))));  // none to four blanks of it
}

TEST_CASE("the bracket that the editor closed belongs to the answer") {
  Desk desk;
  desk.learn(Desk::asked("f", "\n"), "oo(a, b)");
  CHECK(desk.rest(Desk::asked("foo(", ")\n")) == "a, b");
  CHECK_FALSE(desk.rest(Desk::asked("foo(a, b", ")\n")));  // nothing is left before it
  desk.learn(Desk::asked("g", "\n"), "oo(a, b)", Ending::by_length);
  CHECK_FALSE(desk.rest(Desk::asked("goo(", ")\n")));
}

TEST_CASE("of two answers to one question the newer counts") {
  Desk desk;
  desk.learn(Desk::asked("x = "), "1 + 1");
  desk.memory.clear();
  desk.learn(Desk::asked("x = "), "1 + 1");
  desk.memory.recall({*Desk::asked("x = "), "1 + 2", Ending::by_itself, "m", k_now});
  CHECK(desk.rest(Desk::asked("x = 1 +")) == " 2");
}

TEST_CASE("equal requests at once have one leader, and the others read along from the beginning") {
  Desk desk;
  const auto lead = desk.lead(Desk::asked("x = "));
  auto joined = desk.memory.join(Desk::asked("x = "), k_ever, desk.bell);
  REQUIRE(std::holds_alternative<Following>(joined));
  auto following = std::move(std::get<Following>(joined));
  std::string text;
  CHECK(following.take(text) == Heard::nothing);
  lead->append("1");
  CHECK(desk.bell.rings == 1);
  CHECK(following.take(text) == Heard::more);
  CHECK(following.take(text) == Heard::nothing);
  lead->append(" + 1");
  lead->end(Ending::by_length, k_now);
  CHECK(following.take(text) == Heard::more);
  CHECK(text == "1 + 1");
  CHECK(following.take(text) == Heard::ended);
  CHECK(following.ending() == Ending::by_length);
}

TEST_CASE("one that has typed ahead waits until the answer has come so far, and hears the rest") {
  Desk desk;
  const auto lead = desk.lead(Desk::asked("x = "));
  lead->append("fo");
  auto found = desk.memory.find(*Desk::asked("x = foo("), k_ever, desk.bell);
  REQUIRE(std::holds_alternative<Following>(found));
  auto following = std::move(std::get<Following>(found));
  std::string text;
  CHECK(following.take(text) == Heard::nothing);
  lead->append("o");
  CHECK(following.take(text) == Heard::nothing);
  lead->append("(1)");
  CHECK(following.take(text) == Heard::more);
  CHECK(text == "1)");
}

TEST_CASE("one that turns out to have typed something else is told before it has heard anything") {
  Desk desk;
  for (const char* said : {"bar", "", "foo("}) {  // another text, none at all, and all of it used up
    CAPTURE(said);
    const auto lead = desk.lead(Desk::asked("x = "));
    auto found = desk.memory.find(*Desk::asked("x = foo("), k_ever, desk.bell);
    REQUIRE(std::holds_alternative<Following>(found));
    auto following = std::move(std::get<Following>(found));
    lead->append(said);
    lead->end(Ending::by_itself, k_now);
    std::string text;
    CHECK(following.take(text) == Heard::disagrees);
    CHECK(text.empty());
    desk.memory.clear();
  }
}

TEST_CASE("what disagrees with the text so far does not join, and a lead that gives up is told") {
  Desk desk;
  auto lead = desk.lead(Desk::asked("x = "));
  lead->append("1");
  CHECK(std::holds_alternative<std::monostate>(desk.memory.find(*Desk::asked("x = 2"), k_ever, desk.bell)));
  auto found = desk.memory.find(*Desk::asked("x = "), k_ever, desk.bell);
  auto following = std::move(std::get<Following>(found));
  lead.reset();
  std::string text;
  CHECK(following.take(text) == Heard::more);
  CHECK(following.take(text) == Heard::broken);
  CHECK(std::holds_alternative<std::monostate>(desk.memory.find(*Desk::asked("x = "), k_ever, desk.bell)));
}

TEST_CASE("whoever leaves an answer last, when its own client has left, ends it") {
  Desk desk;
  const auto lead = desk.lead(Desk::asked("x = "));
  int ended = 0;
  CHECK_FALSE(lead->answer()->stay([&] { ++ended; }));
  {
    auto first = desk.memory.find(*Desk::asked("x = "), k_ever, desk.bell);
    {
      CountingBell other;
      auto second = desk.memory.find(*Desk::asked("x = "), k_ever, other);
      CHECK(lead->answer()->stay([&] { ++ended; }));
    }
    CHECK(ended == 0);
  }
  CHECK(ended == 1);
}

TEST_CASE("an answer too long to be kept reaches those who read along") {
  Desk desk;
  const auto lead = desk.lead(Desk::asked("x = "));
  auto found = desk.memory.find(*Desk::asked("x = "), k_ever, desk.bell);
  auto following = std::move(std::get<Following>(found));
  const std::string much = lines(3 * k_longest_answer);
  for (std::size_t at = 0; at < much.size(); at += 1'000) lead->append(much.substr(at, 1'000));
  CHECK(std::holds_alternative<std::monostate>(desk.memory.find(*Desk::asked("x = "), k_ever, desk.bell)));
  lead->end(Ending::by_itself, k_now);
  std::string text;
  while (following.take(text) == Heard::more) {
  }
  CHECK(text == much);
  CHECK_FALSE(desk.rest(Desk::asked("x = ")));
}

TEST_CASE("memory is bounded: the oldest answers of a seat and the quietest seats go") {
  Desk desk;
  for (std::size_t i = 0; i < k_most_kept + 10; ++i) desk.learn(Desk::asked("q" + std::to_string(i) + "."), "answer");
  CHECK_FALSE(desk.rest(Desk::asked("q9.")));
  CHECK(desk.rest(Desk::asked("q10.")) == "answer");
  const std::string big = lines(200'000);
  for (int i = 0; i < 60; ++i) desk.learn(Desk::asked(big + std::to_string(i)), "answer");
  CHECK_FALSE(desk.rest(Desk::asked(big + "5")));
  CHECK(desk.rest(Desk::asked(big + "59")) == "answer");
  for (std::size_t i = 0; i < Memory::k_most_seats; ++i) {
    desk.learn(Desk::asked("p", "", "seat" + std::to_string(i)), "answer");
  }
  CHECK_FALSE(desk.rest(Desk::asked(big + "59")));
  desk.learn(Desk::asked(lines(k_longest_prompt + 1)), "answer");
  CHECK_FALSE(desk.rest(Desk::asked(lines(k_longest_prompt + 1))));
}

}  // namespace nemo::test::memory_test
