#include "daemon/completion/latest_wins.h"

#include <doctest/doctest.h>

#include <memory>

namespace nemo::test::latest_wins_test {

using namespace nemo::completion;

namespace {

struct Editor {
  LatestWins latest;
  struct Call {
    std::unique_ptr<LatestWins::Place> place;
    std::shared_ptr<int> told = std::make_shared<int>(0);
    std::shared_ptr<RunningAnswer> answer = std::make_shared<RunningAnswer>();
  };

  Call ask(std::string prefix, std::string suffix = "", const std::string& caller = "key and client",
           LatestWins::Held held = LatestWins::Held::no) {
    auto asked = std::make_shared<Asked>();
    asked->prefix = std::move(prefix);
    asked->suffix = std::move(suffix);
    asked->has_hole = true;
    Call call;
    call.place = latest.enter(caller, asked, held, [told = call.told] { ++*told; });
    if (held == LatestWins::Held::no) call.place->is_answered_by(call.answer);
    return call;
  }
};

}  // namespace

TEST_CASE("what was typed and disagrees with the running answer ends it") {
  Editor editor;
  const auto older = editor.ask("let total = ");
  older.answer->append("1");
  const auto newer = editor.ask("let total = 2");
  CHECK(*older.told == 1);
  CHECK(older.place->is_superseded());
  CHECK_FALSE(newer.place->is_superseded());
  const auto newest = editor.ask("let total = 23");
  CHECK(*older.told == 1);  // once
}

TEST_CASE("what agrees, or could yet, leaves it alone until it is known better") {
  Editor editor;
  const auto older = editor.ask("let total = ");
  older.answer->append("12");
  const auto agrees = editor.ask("let total = 1");
  const auto ahead = editor.ask("let total = 123");
  older.place->look_again();
  CHECK(*older.told == 0);
  CHECK(older.place->is_overtaken());
  older.answer->append("9");
  older.place->look_again();
  CHECK(*older.told == 1);
  CHECK(*agrees.told == 0);
}

TEST_CASE("text that was taken back ends the call for it") {
  Editor editor;
  const auto older = editor.ask("let total = 12");
  const auto newer = editor.ask("let total = 1");
  CHECK(*older.told == 1);
  CHECK(*newer.told == 0);
}

TEST_CASE("identical requests, other files, keys, clients and places are left alone") {
  Editor editor;
  const auto call = editor.ask("let total = ", "\n");
  call.answer->append("1");
  const auto same = editor.ask("let total = ", "\n");
  const auto file = editor.ask("// b.js\nlet x = 2", "\n");
  const auto client = editor.ask("let total = 2", "\n", "another key");
  const auto place =
      editor.ask("let total = 2", "\n// quite another text behind the cursor, much longer than a bracket is");
  CHECK(*call.told == 0);
  CHECK_FALSE(call.place->is_overtaken());
}

TEST_CASE("who reads along is superseded like any other, and then the call that fed only him") {
  struct Silent final : Bell {
    void ring() noexcept override {}
  };
  Editor editor;
  Silent bell;
  const auto leads = editor.ask("let total = ");
  leads.answer->append("12");
  auto reads = editor.ask("let total = 1", "", "key and client", LatestWins::Held::yes);
  auto following = std::make_unique<Following>(leads.answer, "1", bell);
  reads.place->reads_along(leads.answer, "1");
  const auto agrees = editor.ask("let total = 12");
  CHECK(*reads.told == 0);
  const auto disagrees = editor.ask("let total = 13");
  CHECK(*reads.told == 1);
  CHECK(*leads.told == 0);
  following.reset();
  reads.place.reset();
  CHECK(*leads.told == 1);
}

TEST_CASE("a call that others read along is left alone") {
  struct Silent final : Bell {
    void ring() noexcept override {}
  };
  Editor editor;
  Silent bell;
  const auto older = editor.ask("let total = ");
  older.answer->append("1");
  {
    const Following reader(older.answer, "", bell);
    const auto newer = editor.ask("let total = 2");
    CHECK(*older.told == 0);
  }
  const auto newest = editor.ask("let total = 3");
  CHECK(*older.told == 1);
}

TEST_CASE("one that is held back gives way to any newer one but an identical one") {
  Editor editor;
  const auto older = editor.ask("let to", "", "key and client", LatestWins::Held::yes);
  const auto same = editor.ask("let to", "", "key and client", LatestWins::Held::yes);
  CHECK(*older.told == 0);
  const auto newer = editor.ask("let tot", "", "key and client", LatestWins::Held::yes);
  CHECK(*older.told == 1);
  CHECK(*same.told == 1);
  CHECK(*newer.told == 0);
}

TEST_CASE("what has ended is in nobody's way") {
  Editor editor;
  auto older = editor.ask("let total = ");
  older.place.reset();
  const auto newer = editor.ask("let tot");
  CHECK(*older.told == 0);
}

}  // namespace nemo::test::latest_wins_test
