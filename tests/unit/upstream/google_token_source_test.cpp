#include "daemon/upstream/google/google_token_source.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "fake_clock.h"
#include "fetch.h"
#include "google_scripted.h"

namespace nemo::test::google_token_source_test {

using namespace nemo;
using namespace nemo::test;
using namespace nemo::upstream::google;
using std::chrono::seconds;

namespace {

struct Desk {
  FakeClock clock;
  FakeGoogle google;
  Credentials credentials = test_account();
  GoogleTokenSource::Options options{"key.json", "", "", upstream::Millis(10'000), {}};
  std::unique_ptr<GoogleTokenSource> source;

  void open() {
    source = std::make_unique<GoogleTokenSource>(google, clock, std::move(credentials), std::move(options));
  }
  std::string token() const { return shown(source->token()); }
  std::string renew(const std::string& refused) const { return shown(source->renew(Secret(refused))); }
  void advance(seconds by) {
    clock.advance(by);
    source->look_at_clock();
  }
  bool comes_to(const std::string& wanted) const {
    return eventually([&] { return token() == wanted; });
  }

 private:
  static std::string shown(const Result<Secret>& result) {
    return result ? std::string(result->expose()) : "error: " + result.error().message;
  }
};

constexpr const char* k_about_time =
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.";

std::int64_t in_seconds(WallTime time) {
  return std::chrono::duration_cast<seconds>(time.time_since_epoch()).count();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a token is renewed after four fifths of its life or all but five minutes, never before half of it") {
  CHECK(renew_after(seconds(3600)) == seconds(2880));
  CHECK(renew_after(seconds(43'200)) == seconds(34'560));
  CHECK(renew_after(seconds(1500)) == seconds(1200));
  CHECK(renew_after(seconds(1000)) == seconds(700));
  CHECK(renew_after(seconds(600)) == seconds(300));
  CHECK(renew_after(seconds(301)) == seconds(150));
  CHECK(renew_after(seconds(10)) == seconds(5));
  CHECK(renew_after(seconds(1)) == seconds(1));
}

TEST_CASE("the pauses between failures grow from one second to a minute") {
  const std::vector<int> wanted{1, 2, 4, 8, 16, 32, 60, 60};
  for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(pause_after(static_cast<int>(i) + 1) == seconds(wanted[i]));
  CHECK(pause_after(1'000'000) == seconds(60));
}

TEST_CASE("the first token is fetched at start, and then given without asking again") {
  Desk desk;
  desk.google.gives("one");
  desk.open();
  CHECK(desk.token() == "one");
  CHECK(desk.token() == "one");
  CHECK(desk.google.asked() == 1);
  CHECK(desk.google.issued_at(0) == in_seconds(desk.clock.wall()));
}

TEST_CASE("who asks before the first token is there waits for it") {
  Desk desk;
  desk.google.gate.close();
  desk.google.gives("one");
  desk.open();
  std::string got;
  std::thread asking([&] { got = desk.token(); });
  CHECK(eventually([&] { return desk.google.asked() == 1; }));
  desk.google.gate.open();
  asking.join();
  CHECK(got == "one");
}

TEST_CASE("the wait for the first token has an end") {
  Desk desk;
  desk.google.gate.close();
  desk.google.gives("one");
  desk.options.patience = upstream::Millis(1);
  desk.open();
  CHECK_MESSAGE(has(desk.token(), "error: There is no access token for key.json"), desk.token());
}

TEST_CASE("a token is renewed ahead of its end, not before its time") {
  Desk desk;
  desk.google.gives("one");
  desk.google.gives("two", 1000);
  desk.google.gives("three");
  desk.open();
  CHECK(desk.token() == "one");
  desk.advance(seconds(2879));
  CHECK(desk.token() == "one");
  CHECK(desk.google.asked() == 1);
  desk.advance(seconds(1));
  CHECK(desk.comes_to("two"));
  desk.advance(seconds(700));
  CHECK(desk.comes_to("three"));
}

TEST_CASE("while a token is renewed the old one is given at once") {
  Desk desk;
  desk.google.gives("one");
  desk.google.gives("two");
  desk.open();
  CHECK(desk.token() == "one");
  desk.google.gate.close();
  desk.advance(seconds(2880));
  CHECK(eventually([&] { return desk.google.asked() == 2; }));
  CHECK(desk.token() == "one");
  desk.google.gate.open();
  CHECK(desk.comes_to("two"));
}

TEST_CASE("a machine that slept through the end of a token renews it by the clock on the wall") {
  Desk desk;
  desk.google.gives("one");
  desk.google.gives("two");
  desk.open();
  CHECK(desk.token() == "one");
  desk.clock.set_wall(desk.clock.wall() + seconds(2880));
  desk.source->look_at_clock();
  CHECK(desk.comes_to("two"));
}

TEST_CASE("when renewing fails the old token is kept, and another try follows") {
  Desk desk;
  desk.google.gives("one");
  desk.google.expect(fails());
  desk.google.expect(says(503, "down"));
  desk.google.gives("two");
  desk.open();
  CHECK(desk.token() == "one");
  desk.advance(seconds(2880));
  CHECK(eventually([&] { return desk.google.asked() == 2; }));
  CHECK(desk.token() == "one");
  CHECK(eventually([&] {
    desk.advance(seconds(1));
    return desk.token() == "two";
  }));
  CHECK(desk.google.asked() == 4);
}

TEST_CASE("a token that has ended with nothing in its place is an error that says why") {
  Desk desk;
  desk.google.gives("one");
  desk.google.refuses("invalid_grant", "Invalid JWT Signature.");
  desk.google.gives("two");
  desk.open();
  CHECK(desk.token() == "one");
  desk.advance(seconds(3600));
  CHECK(eventually([&] { return has(desk.token(), "Invalid JWT Signature"); }));
  desk.advance(seconds(1));
  CHECK(desk.comes_to("two"));
}

TEST_CASE("when the first fetch fails, token() says why at once") {
  Desk desk;
  desk.google.refuses("invalid_grant", "Invalid grant: account not found");
  desk.open();
  const std::string said = desk.token();
  CHECK_MESSAGE(has(said, "error: Google gives no access token for key.json: invalid_grant"), said);
  CHECK_MESSAGE(has(said, "use the key of another one"), said);
  CHECK(desk.google.asked() == 1);
}

TEST_CASE("a refused token is fetched anew once for all who bring it") {
  Desk desk;
  desk.google.gives("one");
  desk.google.gives("two");
  desk.open();
  CHECK(desk.token() == "one");
  desk.google.gate.close();
  std::vector<std::string> got(8);
  std::vector<std::thread> callers;
  callers.reserve(got.size());
  for (std::string& mine : got) callers.emplace_back([&desk, &mine] { mine = desk.renew("one"); });
  CHECK(eventually([&] { return desk.google.asked() == 2; }));
  desk.google.gate.open();
  for (std::thread& caller : callers) caller.join();
  for (const std::string& mine : got) CHECK(mine == "two");
  CHECK(desk.renew("one") == "two");
  CHECK(desk.google.asked() == 2);
}

TEST_CASE("a refused token joins the fetch that is under way") {
  Desk desk;
  desk.google.gives("one");
  desk.google.gives("two");
  desk.open();
  CHECK(desk.token() == "one");
  desk.google.gate.close();
  desk.advance(seconds(2880));
  CHECK(eventually([&] { return desk.google.asked() == 2; }));
  std::string got;
  std::atomic<bool> calls{false};
  std::thread caller([&] {
    calls = true;
    got = desk.renew("one");
  });
  CHECK(eventually([&] { return calls.load(); }));
  desk.google.gate.open();
  caller.join();
  CHECK(got == "two");
  desk.source.reset();  // what its thread has begun to ask has been asked then
  CHECK(desk.google.asked() == 2);
}

TEST_CASE("renewing what is refused again and again asks once a second at most") {
  Desk desk;
  for (const char* token : {"one", "two", "three"}) desk.google.gives(token);
  desk.options.patience = upstream::Millis(20);  // that much real time passes until the last renew() gives up
  desk.open();
  CHECK(desk.comes_to("one"));
  CHECK(eventually([&] { return desk.renew("one") == "two"; }));
  const std::string within_the_second = desk.renew("two");
  CHECK_MESSAGE(has(within_the_second, "has not given another yet"), within_the_second);
  CHECK(desk.google.asked() == 2);
  desk.advance(seconds(1));
  CHECK(desk.comes_to("three"));
}

TEST_CASE("a renewal that fails says why, and so does one that brings the same token") {
  Desk desk;
  desk.google.gives("one");
  desk.google.refuses("invalid_grant", "Invalid JWT Signature.");
  desk.google.gives("one");
  desk.open();
  CHECK(desk.token() == "one");
  CHECK_MESSAGE(has(desk.renew("one"), "create a new key"), "refused");
  desk.advance(seconds(1));
  CHECK(eventually([&] { return desk.google.asked() == 3; }));
  CHECK(desk.token() == "one");
  desk.google.gives("one");
  desk.advance(seconds(1));
  CHECK_MESSAGE(has(desk.renew("one"), "refuses"), "the same again");
}

TEST_CASE("a clock that is wrong is corrected by Google's, once, and from then on") {
  Desk desk;
  desk.clock.set_wall(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22));
  desk.google.refuses("invalid_grant", k_about_time, "Sun, 22 Nov 2026 02:00:00 GMT");
  desk.google.gives("one");
  desk.google.gives("two");
  desk.open();
  CHECK(desk.token() == "one");
  const std::int64_t midnight = in_seconds(desk.clock.wall());
  CHECK(desk.google.issued_at(0) == midnight);
  CHECK(desk.google.issued_at(1) == midnight + 7200);
  desk.advance(seconds(2880));
  CHECK(desk.comes_to("two"));
  CHECK(desk.google.asked() == 3);
  CHECK(desk.google.issued_at(2) == midnight + 7200 + 2880);
}

TEST_CASE("when Google's own time does not help, the error tells how far the clock is off") {
  Desk desk;
  desk.clock.set_wall(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22));
  desk.google.refuses("invalid_grant", k_about_time, "Sat, 21 Nov 2026 23:00:00 GMT");
  desk.google.refuses("invalid_grant", k_about_time, "Sat, 21 Nov 2026 23:00:00 GMT");
  desk.open();
  const std::string said = desk.token();
  CHECK_MESSAGE(has(said, "Set this machine's clock right."), said);
  CHECK_MESSAGE(has(said, "3600 s ahead of Google's"), said);
  CHECK(desk.google.asked() == 2);
}

TEST_CASE("without a date there is one try, and the error still names the clock") {
  Desk desk;
  desk.google.refuses("invalid_grant", k_about_time);
  desk.open();
  CHECK_MESSAGE(has(desk.token(), "Set this machine's clock right."), desk.token());
  CHECK(desk.google.asked() == 1);
}

TEST_CASE("after a refusal the credentials are looked for again: somebody may have logged in") {
  Desk desk;
  desk.credentials = std::get<AuthorizedUser>(*parse_credentials(authorized_user_json().dump(), "f"));
  desk.options.find_again = []() -> Result<Credentials> {
    Json file = authorized_user_json();
    file["refresh_token"] = "fresh";
    return Credentials(std::get<AuthorizedUser>(*parse_credentials(file.dump(), "f")));
  };
  desk.google.refuses("invalid_grant", "Token has been expired or revoked.");
  desk.google.gives("one");
  desk.open();
  CHECK_MESSAGE(has(desk.token(), "gcloud auth application-default login"), desk.token());
  desk.advance(seconds(1));
  CHECK(desk.comes_to("one"));
  CHECK(has(desk.google.request(0).body, "1%2F%2Frefresh-me"));
  CHECK(has(desk.google.request(1).body, "refresh_token=fresh"));
}

TEST_CASE("a metadata server that does not answer says what to do on a machine outside Google's cloud") {
  Desk desk;
  desk.credentials = MetadataServer{"http://169.254.169.254"};
  desk.google.expect(fails());
  desk.open();
  CHECK_MESSAGE(has(desk.token(), "gcloud auth application-default login"), desk.token());
}

TEST_CASE("an answer that never ends, or ends early, is an error") {
  Desk desk;
  desk.google.expect(streams({"{\"access_token\":"}, Ending::silent));
  desk.google.expect(streams({"{\"access_token\":"}, Ending::broken));
  desk.open();
  CHECK_MESSAGE(has(desk.token(), "did not come to its end in time"), desk.token());
  desk.advance(seconds(1));
  CHECK(eventually([&] { return has(desk.token(), "the connection was reset"); }));
}

TEST_CASE("it ends at once while it waits for an answer and while it sleeps") {
  Desk waiting;
  waiting.google.gate.close();
  waiting.google.gives("never");
  waiting.open();
  CHECK(eventually([&] { return waiting.google.asked() == 1; }));
  waiting.source.reset();

  Desk sleeping;
  sleeping.google.gives("one");
  sleeping.open();
  CHECK(sleeping.token() == "one");
  sleeping.source.reset();
  CHECK(sleeping.google.asked() == 1);
}

}  // namespace nemo::test::google_token_source_test
