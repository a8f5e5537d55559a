#include "cli/admin_client.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "tests/cli/fake_daemon.h"

namespace nemo::test::admin_client_test {

using namespace nemo;
using nemo::cli::AdminClient;
using nemo::test::FakeDaemon;
using nemo::test::sample_call;

namespace {

struct Running : FakeDaemon {
  Running() { start(); }
  AdminClient client{socket};
};

mode_t mode_of(const std::filesystem::path& path) {
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777U;
}

// A socket file that nobody answers at, as a killed daemon leaves it.
void leave_stale_socket(const std::filesystem::path& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  ::close(fd);
}

}  // namespace

TEST_CASE("only the owner can reach the socket, whatever the umask was") {
  const mode_t before = ::umask(0);
  Running daemon;
  CHECK(::umask(before) == 0);
  CHECK(mode_of(daemon.socket) == 0600);
  CHECK(mode_of(daemon.socket.parent_path()) == 0700);
}

TEST_CASE("a socket that a killed daemon left is replaced") {
  FakeDaemon daemon;
  std::filesystem::create_directories(daemon.socket.parent_path());
  leave_stale_socket(daemon.socket);
  daemon.start();
  CHECK(AdminClient(daemon.socket).status().ok());
}

TEST_CASE("a socket where a daemon answers is left to it") {
  Running first;
  FakeDaemon second;
  const Status started = second.server.start(first.socket);
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().kind == ErrorKind::conflict);
  CHECK(first.client.status().ok());
}

TEST_CASE("a file that is no socket is not removed") {
  FakeDaemon daemon;
  std::filesystem::create_directories(daemon.socket.parent_path());
  std::ofstream(daemon.socket) << "precious";
  CHECK_FALSE(daemon.server.start(daemon.socket).ok());
  CHECK(std::filesystem::file_size(daemon.socket) == 8);
}

TEST_CASE("a path too long for a Unix socket is refused with a reason") {
  FakeDaemon daemon;
  const Status started = daemon.server.start(daemon.folder.path() / std::string(120, 'x'));
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().message.find("too long") != std::string::npos);
}

TEST_CASE("a stopped server leaves no socket and nobody answers") {
  Running daemon;
  CHECK(daemon.client.answers());
  daemon.server.stop();
  CHECK_FALSE(std::filesystem::exists(daemon.socket));
  CHECK_FALSE(daemon.client.answers());
  CHECK_THROWS_AS((void)daemon.client.status(), cli::DaemonNotRunning);
  daemon.server.stop();
  daemon.start();
  CHECK(daemon.client.answers());
}

TEST_CASE("status, models and config arrive as the daemon stated them") {
  Running daemon;
  daemon.control.the_models.resize(2);
  daemon.control.the_models[1].id = "gemini-2.5-flash";
  CHECK(daemon.client.status()->pid == 4711);
  CHECK(daemon.client.status()->upstreams.front().key_source == "secret:nemo");
  CHECK(daemon.client.models()->at(1).id == "gemini-2.5-flash");
  CHECK(*daemon.client.config_text() == daemon.control.the_config);
}

TEST_CASE("a refusal keeps its kind and message") {
  Running daemon;
  daemon.control.reload_outcome = fail(ErrorKind::invalid_config, "nemo.toml:3: no");
  daemon.control.lane_outcome = fail(ErrorKind::model_not_found, "did you mean gemini-2.5-flash?");
  const auto reloaded = daemon.client.reload_config();
  REQUIRE_FALSE(reloaded.ok());
  CHECK(reloaded.error().kind == ErrorKind::invalid_config);
  CHECK(reloaded.error().message == "nemo.toml:3: no");
  CHECK(daemon.client.set_lane_model("completion", "x").error().kind == ErrorKind::model_not_found);
}

TEST_CASE("a new key opens the door at once, a revoked one no more") {
  Running daemon;
  REQUIRE(daemon.client.create_team({"core"}).ok());
  const auto created = daemon.client.create_key({"alice", "core", {"gemini-2.5-flash"}, "2027-01-01T00:00:00Z"});
  REQUIRE(created.ok());
  CHECK(created->record.state == "active");
  CHECK(created->record.expires_at == "2027-01-01T00:00:00.000Z");
  const auto principal = daemon.book.identify(created->key, daemon.clock.wall());
  REQUIRE(principal.ok());
  CHECK((*principal)->seat == "alice");
  CHECK((*principal)->models == std::vector<std::string>{"gemini-2.5-flash"});

  const auto revoked = daemon.client.revoke_key(created->record.id);
  REQUIRE(revoked.ok());
  CHECK(revoked->state == "revoked");
  CHECK(daemon.book.identify(created->key, daemon.clock.wall()).error().kind == ErrorKind::key_revoked);
}

TEST_CASE("a listed key never holds the key itself") {
  Running daemon;
  const auto created = daemon.client.create_key({"alice", "", {}, std::nullopt});
  REQUIRE(created.ok());
  const auto keys = daemon.client.keys();
  REQUIRE(keys->size() == 1);
  CHECK(keys->front().hint == "…" + created->key.substr(created->key.size() - 4));
  CHECK(keys->front().id == created->record.id);
}

TEST_CASE("a key without a seat, or one that has expired already, is refused") {
  Running daemon;
  CHECK(daemon.client.create_key({"", "", {}, std::nullopt}).error().kind == ErrorKind::invalid_request);
  CHECK(daemon.client.create_key({"a", "", {}, "2026-01-01T00:00:00Z"}).error().kind == ErrorKind::invalid_request);
  CHECK(daemon.client.create_key({"a\nb", "", {}, std::nullopt}).error().kind == ErrorKind::invalid_request);
  CHECK(daemon.client.keys()->empty());
}

TEST_CASE("revoking a key that nobody made says so") {
  Running daemon;
  CHECK(daemon.client.revoke_key("key_none").error().kind == ErrorKind::not_found);
}

TEST_CASE("a call arrives with its exact cost and its trace") {
  Running daemon;
  daemon.history.add(sample_call("req_1"));
  const auto calls = daemon.client.calls({});
  REQUIRE(calls->size() == 1);
  CHECK(calls->front().row == 1);
  CHECK(calls->front().cost == "0.001156");
  CHECK(calls->front().latency_ms == doctest::Approx(1234.5));
  CHECK(calls->front().usage_source == "provider");
  const auto story = daemon.client.call("req_1");
  REQUIRE(story.ok());
  CHECK(story->requested_model == "nemo/auto");
  CHECK(story->candidates.size() == 3);
  CHECK(story->attempts.at(0).error == "overloaded");
  CHECK(daemon.client.call("req_none").error().kind == ErrorKind::not_found);
}

TEST_CASE("a name with bytes that are not UTF-8 does not keep the others from being listed") {
  Running daemon;
  call::CallRecord strange = sample_call("req_1");
  strange.client = "bad\xff";
  daemon.history.add(strange);
  daemon.history.add(sample_call("req_2"));
  CHECK(daemon.client.calls({})->size() == 2);
}

TEST_CASE("the filters of a question reach the ledger") {
  Running daemon;
  admin::CallQuery query;
  query.key = "key_abc";
  query.seat = "a b&c=ü";
  query.status = "429";
  query.since = "2026-11-22T10:00:00Z";
  query.after_row = 0;
  query.limit = 7;
  REQUIRE(daemon.client.calls(query).ok());
  daemon.history.last_filter.with([](const ledger::CallFilter& filter) {
    CHECK(filter.key == "key_abc");
    CHECK(filter.seat == "a b&c=ü");
    CHECK(filter.http_status == 429);
    CHECK(filter.status == ledger::StatusFilter::any);
    CHECK(to_rfc3339(*filter.since) == "2026-11-22T10:00:00.000Z");
    CHECK(filter.after_row == 0);
    CHECK(filter.limit == 7);
    CHECK_FALSE(filter.model);
  });
  query.status = "refused";
  REQUIRE(daemon.client.calls(query).ok());
  daemon.history.last_filter.with(
      [](const ledger::CallFilter& filter) { CHECK(filter.status == ledger::StatusFilter::refused); });
}

TEST_CASE("a filter that makes no sense is refused and names the parameter") {
  Running daemon;
  admin::CallQuery query;
  query.status = "sad";
  CHECK(daemon.client.calls(query).error().message.find("status") != std::string::npos);
  query = {};
  query.since = "yesterday";
  CHECK(daemon.client.calls(query).error().kind == ErrorKind::invalid_request);
  query = {};
  query.limit = 0;
  CHECK(daemon.client.calls(query).error().kind == ErrorKind::invalid_request);
  CHECK(daemon.client.usage({"mood", "", ""}).error().kind == ErrorKind::invalid_request);
}

TEST_CASE("usage is asked for by group and period") {
  Running daemon;
  daemon.history.usage_rows = {{"alice", 3, 1, 10, 2, 5, NanoUsd{1'500}}};
  const auto rows = daemon.client.usage({"seat", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"});
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().cost == "0.0000015");
  daemon.history.last_usage_query.with([](const ledger::UsageQuery& query) {
    CHECK(query.by == ledger::UsageGroup::seat);
    CHECK(to_rfc3339(*query.until) == "2026-11-02T00:00:00.000Z");
  });
}

TEST_CASE("what was accepted is asked for by group and period") {
  Running daemon;
  daemon.history.acceptance_rows = {{"/home/anna/api", 10, 3, 2, 4}, {"/srv/api", 1, 1, 0, 0}};
  const auto rows = daemon.client.acceptance({"project", "2026-11-01T00:00:00Z", ""});
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().group == "api");
  CHECK(rows->front().shown == 11);
  CHECK(rows->front().accepted == 4);
  CHECK(rows->front().partly == 2);
  CHECK(rows->front().dismissed == 4);
  CHECK(daemon.client.acceptance({"project", "", "", true})->size() == 2);
  CHECK(daemon.client.acceptance({"mood", "", ""}).error().kind == ErrorKind::invalid_request);
  daemon.history.last_usage_query.with([](const ledger::UsageQuery& query) {
    CHECK(query.by == ledger::UsageGroup::project);
    CHECK_FALSE(query.since);
  });
}

TEST_CASE("an upstream's key arrives whole and can be forgotten") {
  Running daemon;
  REQUIRE(daemon.client.login("my upstream", Secret("sk-upstream-0123456789")).ok());
  CHECK(daemon.control.logged_in.at("my upstream") == "sk-upstream-0123456789");
  CHECK(daemon.client.logout("my upstream").ok());
  CHECK(daemon.client.logout("my upstream").error().kind == ErrorKind::not_found);
  CHECK(daemon.client.login("nemo", Secret("")).error().kind == ErrorKind::invalid_request);
}

TEST_CASE("a probe says how many models were listed, or why none") {
  Running daemon;
  CHECK(*daemon.client.probe("nemo") == 7);
  daemon.control.probe_outcome = fail(ErrorKind::upstream_timeout, "no answer");
  CHECK(daemon.client.probe("nemo").error().kind == ErrorKind::upstream_timeout);
}

}  // namespace nemo::test::admin_client_test
