#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/nemo_with_daemon.h"

namespace nemo::test::cli_test {

using namespace nemo;
using Json = nlohmann::ordered_json;
using nemo::test::Arguments;
using nemo::test::holds;
using nemo::test::Invocation;
using nemo::test::run_nemo;
using nemo::test::run_nemo_in_terminal;
using nemo::test::RunningNemo;
using nemo::test::Said;
using nemo::test::sample_call;
using Daemon = nemo::test::NemoWithDaemon;

namespace {

constexpr const char* k_upstream_key = "sk-upstream-5f3a9c1e7b2d";

}  // namespace

TEST_CASE("without a daemon every command that needs one ends with 3 and says how to start it") {
  const test::TemporaryFolder empty;
  for (const Arguments& command : {Arguments{"status"},
                                   Arguments{"models"},
                                   Arguments{"keys", "list"},
                                   Arguments{"keys", "create", "--seat", "a"},
                                   Arguments{"logs"},
                                   Arguments{"logs", "-f"},
                                   Arguments{"usage"},
                                   Arguments{"why", "req_1"},
                                   Arguments{"config", "show"},
                                   Arguments{"config", "reload"},
                                   Arguments{"set-model", "completion", "m"},
                                   Arguments{"keys", "set", "ab12", "--budget", "8/day"},
                                   Arguments{"keys", "rotate", "ab12"},
                                   Arguments{"teams", "list"},
                                   Arguments{"teams", "create", "core"},
                                   Arguments{"seats", "list"},
                                   Arguments{"budgets"},
                                   Arguments{"budgets", "--accuracy"},
                                   Arguments{"budgets", "reconcile"},
                                   Arguments{"deployments"},
                                   Arguments{"route", "explain"},
                                   Arguments{"ab", "list"},
                                   Arguments{"ab", "create", "x", "--lane", "completion", "--arms", "a=1"},
                                   Arguments{"ab", "start", "x"},
                                   Arguments{"ab", "report", "x"},
                                   Arguments{"login"},
                                   Arguments{"logout"}}) {
    CAPTURE(command.front());
    const Said said = run_nemo({command, "sk-some-key-0123", {{"NEMO_SOCKET", (empty.path() / "s").string()}}});
    CHECK(said.status == 3);
    CHECK(said.out.empty());
    CHECK(holds(said.err, "start it with: nemod"));
  }
}

TEST_CASE("arguments that make no sense end with 2, before the daemon is looked for") {
  for (const Arguments& command : {Arguments{},
                                   Arguments{"sttus"},
                                   Arguments{"keys"},
                                   Arguments{"keys", "lst"},
                                   Arguments{"status", "--bogus"},
                                   Arguments{"status", "models"},
                                   Arguments{"keys", "create"},
                                   Arguments{"set-model", "completion"},
                                   Arguments{"why"},
                                   Arguments{"usage", "--by", "mood"},
                                   Arguments{"usage", "--since", "soon"},
                                   Arguments{"logs", "--status", "sad"},
                                   Arguments{"logs", "-n", "0"},
                                   Arguments{"logs", "--since", "7x"},
                                   Arguments{"keys", "create", "--seat", "a", "--expires", "2001-01-01"},
                                   Arguments{"keys", "set", "ab12"},
                                   Arguments{"keys", "set"},
                                   Arguments{"keys", "create", "--seat", "a", "--rpm", "-1"},
                                   Arguments{"keys", "create", "--seat", "a", "--tpm", "many"},
                                   Arguments{"keys", "rotate", "a", "--grace", "1y"},
                                   Arguments{"teams"},
                                   Arguments{"teams", "create"},
                                   Arguments{"keys", "create", "--seat", "a", "--budget", "8/day", "5/day"},
                                   Arguments{"teams", "create", ""},
                                   Arguments{"teams", "set", "core"},
                                   Arguments{"teams", "create", "a", "--on-budget", "refuse"},
                                   Arguments{"seats", "set", "alice"},
                                   Arguments{"budgets", "--since", "7d"},
                                   Arguments{"budgets", "--accuracy", "--since", "soon"},
                                   Arguments{"budgets", "recncile"},
                                   Arguments{"route"},
                                   Arguments{"route", "explain", "--max-tokens", "0"},
                                   Arguments{"route", "explain", "--prompt-bytes", "some"},
                                   Arguments{"ab"},
                                   Arguments{"ab", "start"},
                                   Arguments{"ab", "start", ""},
                                   Arguments{"ab", "begin", "x"},
                                   Arguments{"ab", "create", "x", "--lane", "completion"},
                                   Arguments{"ab", "create", "x", "--arms", "a=1"},
                                   Arguments{"ab", "create", "x", "--lane", "completion", "--arms", "a"},
                                   Arguments{"ab", "create", "x", "--lane", "completion", "--arms", "a=half"},
                                   Arguments{"ab", "create", "x", "--lane", "l", "--arms", "a=1", "--by", "moon"},
                                   Arguments{"budgets", "reconcile", "--all"},
                                   Arguments{"budgets", "reconcile", "3", "--reason", " "},
                                   Arguments{"budgets", "reconcile", "3", "--all", "--reason", "x"},
                                   Arguments{"budgets", "reconcile", "--reason", "x"},
                                   Arguments{"budgets", "reconcile", "three"},
                                   Arguments{"usage", "--since", "1d", "--until", "7d"}}) {
    const Said said = run_nemo({command});
    CAPTURE(said.err);
    CHECK(said.status == 2);
    CHECK(said.out.empty());
    CHECK_FALSE(said.err.empty());
  }
}

TEST_CASE("a misspelt command is met with the nearest one") {
  CHECK(holds(run_nemo({{"sttus"}}).err, "did you mean \"status\"?"));
  CHECK(holds(run_nemo({{"keys", "lst"}}).err, "did you mean \"list\"?"));
  CHECK(holds(run_nemo({{"budgets", "recncile"}}).err, "did you mean \"reconcile\"?"));
  CHECK(holds(run_nemo({{"budgets", "--since", "7d", "--bogus"}}).err, "--bogus"));
}

TEST_CASE("help and version are no mistakes") {
  const Said help = run_nemo({{"--help"}});
  CHECK(help.status == 0);
  CHECK(holds(help.out, "set-model"));
  CHECK(run_nemo({{"keys", "create", "--help"}}).status == 0);
  const Said version = run_nemo({{"--version"}});
  CHECK(version.status == 0);
  CHECK(version.out.rfind("nemo ", 0) == 0);
}

TEST_CASE("a refusal by the daemon ends with 1 and its reason on standard error") {
  Daemon daemon;
  daemon.control.lane_outcome = fail(ErrorKind::model_not_found, "no model x; did you mean gemini-2.5-pro?");
  const Said said = daemon.run({"set-model", "reasoning", "x"});
  CHECK(said.status == 1);
  CHECK(said.out.empty());
  CHECK(holds(said.err, "did you mean gemini-2.5-pro?"));
}

TEST_CASE("the global flags stand before the command or after it") {
  Daemon daemon;
  const Said before = daemon.run({"--json", "status"});
  const Said after = daemon.run({"status", "--json"});
  CHECK(before.status == 0);
  CHECK(before.out == after.out);
  CHECK(Json::parse(before.out)["url"] == "http://127.0.0.1:6366");
  CHECK(run_nemo({{"keys", "list", "--json", "--socket", daemon.socket.string()}}).out == "[]\n");
}

TEST_CASE("the socket is found by NEMO_SOCKET when no flag names it") {
  Daemon daemon;
  CHECK(run_nemo({{"status"}, {}, {{"NEMO_SOCKET", daemon.socket.string()}}}).status == 0);
}

TEST_CASE("a list is an array with --json, even when it is empty") {
  Daemon daemon;
  for (const Arguments& command :
       {Arguments{"models"}, Arguments{"keys", "list"}, Arguments{"logs"}, Arguments{"usage"},
        Arguments{"teams", "list"}, Arguments{"seats", "list"}, Arguments{"budgets"},
        Arguments{"budgets", "--accuracy"}, Arguments{"budgets", "reconcile"}, Arguments{"deployments"},
        Arguments{"ab", "list"}}) {
    Arguments arguments{"--json"};
    arguments.insert(arguments.end(), command.begin(), command.end());
    const Said said = daemon.run(arguments);
    CHECK(said.status == 0);
    CHECK(Json::parse(said.out).is_array());
  }
}

TEST_CASE("a call in --json has the names of the contract and an exact cost") {
  Daemon daemon;
  daemon.history.add(sample_call("req_1"));
  const Json rows = Json::parse(daemon.run({"logs", "--json"}).out);
  REQUIRE(rows.size() == 1);
  for (const char* name : {"id",
                           "at",
                           "key",
                           "seat",
                           "team",
                           "surface",
                           "lane",
                           "model",
                           "upstream",
                           "deployment",
                           "status",
                           "http_status",
                           "error_code",
                           "stream",
                           "latency_ms",
                           "ttft_ms",
                           "overhead_us",
                           "input_tokens",
                           "cached_tokens",
                           "output_tokens",
                           "reasoning_tokens",
                           "usage_source",
                           "cost",
                           "cache",
                           "attempts",
                           "experiment",
                           "arm",
                           "client",
                           "tags",
                           "reserved",
                           "estimated_tokens",
                           "budget_fallback",
                           "accepted"}) {
    CAPTURE(name);
    CHECK(rows[0].contains(name));
  }
  CHECK(rows[0]["cost"] == "0.001156");
}

TEST_CASE("following prints one object a line, the calls that come later included") {
  Daemon daemon;
  daemon.history.add(sample_call("req_1"));
  RunningNemo nemo({daemon.with_socket({"logs", "-f", "--json"})});
  CHECK(Json::parse(nemo.read_line())["id"] == "req_1");
  daemon.history.add(sample_call("req_2"));
  CHECK(Json::parse(nemo.read_line())["id"] == "req_2");
  daemon.history.add(sample_call("req_3"));
  CHECK(Json::parse(nemo.read_line())["id"] == "req_3");
}

TEST_CASE("piped output holds no escape codes") {
  Daemon daemon;
  daemon.history.add(sample_call("req_1"));
  daemon.history.usage_rows = {{"alice", 3, 1, 10, 2, 5, NanoUsd{1'500}}};
  REQUIRE(daemon.run({"keys", "create", "--seat", "alice"}).status == 0);
  for (const Arguments& command : {Arguments{"status"}, Arguments{"logs"}, Arguments{"usage"},
                                   Arguments{"why", "req_1"}, Arguments{"keys", "list"}, Arguments{"doctor"}}) {
    CAPTURE(command.front());
    const Said said = daemon.run(command);
    CHECK_FALSE(said.out.empty());
    CHECK_FALSE(holds(said.out + said.err, "\x1b"));
  }
}

TEST_CASE("a terminal gets colours, unless NO_COLOR is set or it has none") {
  Daemon daemon;
  CHECK(holds(daemon.show({"status"}).out, "\x1b["));
  CHECK_FALSE(holds(daemon.show({"status"}, {{"NO_COLOR", "1"}}).out, "\x1b"));
  CHECK_FALSE(holds(daemon.show({"status"}, {{"TERM", "dumb"}}).out, "\x1b"));
}

TEST_CASE("a terminal gets bars of cost, a pipe does not") {
  Daemon daemon;
  daemon.history.usage_rows = {{"alice", 3, 1, 10, 2, 5, NanoUsd{2'000}}, {"bob", 1, 0, 1, 0, 1, NanoUsd{1'000}}};
  CHECK(holds(daemon.show({"usage", "--by", "seat"}).out, "██████████"));
  CHECK_FALSE(holds(daemon.run({"usage", "--by", "seat"}).out, "█"));
}

TEST_CASE("usage ends with the total, and CSV is exact") {
  Daemon daemon;
  daemon.history.usage_rows = {{"alice", 3, 1, 10, 2, 5, NanoUsd{2'000'000'000}},
                               {"a,b", 1, 0, 1, 0, 1, NanoUsd{500'000'001}}};
  const Said table = daemon.run({"usage", "--by", "seat"});
  CHECK(holds(table.out, "total"));
  CHECK(holds(table.out, "$2.50"));
  CHECK(daemon.run({"usage", "--by", "seat", "--csv"}).out ==
        "group,calls,errors,input_tokens,cached_tokens,output_tokens,cost,cache_write_tokens\r\n"
        "alice,3,1,10,2,5,2,0\r\n"
        "\"a,b\",1,0,1,0,1,0.500000001,0\r\n");
}

TEST_CASE("usage tells what was accepted, the share being of what was judged") {
  Daemon daemon;
  CHECK(holds(daemon.run({"usage", "--accepted"}).out, "No completions were shown."));
  daemon.history.acceptance_rows = {{"flash", 12, 3, 1, 6}, {"pro", 1, 0, 0, 0}};
  const std::string table = daemon.run({"usage", "--by", "model", "--accepted"}).out;
  for (const char* part : {"SHOWN", "ACCEPTED", "PARTLY", "DISMISSED", "SHARE", "40.0 %", "total", "13"}) {
    CAPTURE(part);
    CHECK(holds(table, part));
  }
  CHECK(daemon.run({"usage", "--accepted", "--csv"}).out ==
        "group,shown,accepted,partly,dismissed\r\nflash,12,3,1,6\r\npro,1,0,0,0\r\n");
  const Json rows = Json::parse(daemon.run({"usage", "--accepted", "--json"}).out);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == Json{{"group", "flash"}, {"shown", 12}, {"accepted", 3}, {"partly", 1}, {"dismissed", 6}});
}

TEST_CASE("why tells how much of a suggestion was accepted") {
  Daemon daemon;
  call::CallRecord record = sample_call("req_1");
  record.suggested_bytes = 40;
  record.accepted_bytes = 12;
  record.accepted = true;
  daemon.history.add(record);
  CHECK(holds(daemon.run({"why", "req_1"}).out, "Accepted in part: the editor's next prompts have 12 of its 40 bytes"));
}

TEST_CASE("login takes the key from standard input and never shows it") {
  Daemon daemon;
  const Said said = daemon.run({"login"}, std::string("  ") + k_upstream_key + "\r\n");
  CHECK(said.status == 0);
  CHECK(daemon.control.logged_in.at("nemo") == k_upstream_key);
  CHECK_FALSE(holds(said.out + said.err, k_upstream_key));
  CHECK(holds(said.out, "…7b2d"));
}

TEST_CASE("login at a terminal asks, and what is typed is not shown") {
  Daemon daemon;
  const Said said = run_nemo_in_terminal(
      {daemon.with_socket({"login"}), std::string("mistake\x15") + k_upstream_key + "x\x7f\r", {}});
  CHECK(said.status == 0);
  CHECK(daemon.control.logged_in.at("nemo") == k_upstream_key);
  CHECK(holds(said.out, "Key for nemo"));
  CHECK_FALSE(holds(said.out, k_upstream_key));
  CHECK_FALSE(holds(said.out, "mistake"));
}

TEST_CASE("Ctrl-C at the prompt gives up and keeps nothing") {
  Daemon daemon;
  const Said said = run_nemo_in_terminal({daemon.with_socket({"login"}), "sk-half\x03", {}});
  CHECK(said.status == 1);
  CHECK(daemon.control.logged_in.empty());
}

TEST_CASE("a key is never an argument, and one given by mistake is not repeated") {
  Daemon daemon;
  const Said said = daemon.run({"login", k_upstream_key});
  CHECK(said.status == 2);
  CHECK_FALSE(holds(said.out + said.err, k_upstream_key));
  CHECK(daemon.control.logged_in.empty());
}

TEST_CASE("login refuses an empty key and more than one line") {
  Daemon daemon;
  CHECK(daemon.run({"login"}, " \n").status == 1);
  CHECK(daemon.run({"login"}, "one\ntwo\n").status == 1);
  CHECK(daemon.control.logged_in.empty());
}

TEST_CASE("with several upstreams login wants to know which, unless one is called nemo") {
  Daemon daemon;
  auto& upstreams = daemon.control.the_status.upstreams;
  upstreams.push_back(upstreams.front());
  upstreams[0].name = "a";
  upstreams[1].name = "b";
  const Said said = daemon.run({"login"}, k_upstream_key);
  CHECK(said.status == 1);
  CHECK(holds(said.err, "--upstream: a, b"));
  CHECK(daemon.run({"login", "--upstream", "b"}, k_upstream_key).status == 0);
  CHECK(daemon.control.logged_in.at("b") == k_upstream_key);
  CHECK(daemon.run({"logout", "--upstream", "b"}).status == 0);
  CHECK(daemon.control.logged_in.empty());
}

TEST_CASE("a new key is shown once, with an example that can be pasted") {
  Daemon daemon;
  const Said said = daemon.run({"keys", "create", "--seat", "alice", "--models", "a,b", "--expires", "90d"});
  CHECK(said.status == 0);
  CHECK(holds(said.out, "OPENAI_BASE_URL=http://127.0.0.1:6366/v1"));
  CHECK(holds(said.out, "OPENAI_API_KEY=sk-nemo-"));
  CHECK(daemon.book.keys().front().models == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(holds(daemon.run({"keys", "list"}).out, "sk-nemo-"));
}

TEST_CASE("a new key in --json is an object whose key opens the door") {
  Daemon daemon;
  const Json made = Json::parse(daemon.run({"--json", "keys", "create", "--seat", "alice"}).out);
  CHECK(made["seat"] == "alice");
  CHECK(daemon.book.identify(made["key"].get<std::string>(), daemon.clock.wall()).ok());

  const std::string hint = made["hint"].get<std::string>();
  CHECK(Json::parse(daemon.run({"--json", "keys", "show", hint}).out)["id"] == made["id"]);
  CHECK(daemon.run({"keys", "revoke", hint}).status == 0);
  CHECK_FALSE(daemon.book.identify(made["key"].get<std::string>(), daemon.clock.wall()).ok());
  CHECK(daemon.run({"keys", "revoke", "nope"}).status == 1);
}

TEST_CASE("why tells who was left out, what each attempt said, and how the cost came about") {
  Daemon daemon;
  daemon.history.add(sample_call("req_1"));
  admin::Model model;
  model.id = "gemini-2.5-flash";
  model.input_price = "0.3";
  model.cached_input_price = "0.03";
  model.output_price = "2.5";
  daemon.control.the_models = {model};
  const Said said = daemon.run({"why", "req_1"});
  CHECK(said.status == 0);
  for (const char* part :
       {"seat alice of team core", "\"nemo/auto\"", "lane completion: fill in the middle", "left out: no key",
        "503 upstream_error", "overloaded", "$0.001156", "as the provider counted", "by the strategy latency",
        "ttft 23 ms, score 23", "token renewed", "1,000", "× $0.30 a million", "nemo itself", "312ms", "922ms"}) {
    CAPTURE(part);
    CAPTURE(said.out);
    CHECK(holds(said.out, part));
  }
  CHECK_FALSE(holds(said.out, "prices of now"));
  CHECK(Json::parse(daemon.run({"why", "req_1", "--json"}).out)["requested_model"] == "nemo/auto");
  CHECK(daemon.run({"why", "req_none"}).status == 1);
}

TEST_CASE("models are filtered by tag and by lane") {
  Daemon daemon;
  daemon.control.the_models.resize(2);
  daemon.control.the_models[0].id = "coder";
  daemon.control.the_models[0].tags = {"code"};
  daemon.control.the_models[1].id = "thinker";
  daemon.control.the_models[1].lanes = {"reasoning"};
  const Json coders = Json::parse(daemon.run({"models", "--tag", "code", "--json"}).out);
  REQUIRE(coders.size() == 1);
  CHECK(coders[0]["id"] == "coder");
  const Json thinkers = Json::parse(daemon.run({"models", "--lane", "reasoning", "--json"}).out);
  REQUIRE(thinkers.size() == 1);
  CHECK(thinkers[0]["id"] == "thinker");
}

TEST_CASE("set-model tells the daemon, and config show prints the settings as they are") {
  Daemon daemon;
  CHECK(daemon.run({"set-model", "completion", "gemini-2.5-pro"}).status == 0);
  CHECK(daemon.control.lanes.at("completion") == "gemini-2.5-pro");
  CHECK(daemon.run({"config", "show"}).out == daemon.control.the_config);
  CHECK(daemon.run({"config", "reload"}).status == 0);
}

TEST_CASE("doctor ends with 1 when something is wrong and says what to do") {
  Daemon daemon;
  daemon.control.the_status.upstreams.front().key = "missing";
  const Said said = daemon.run({"doctor"});
  CHECK(said.status == 1);
  CHECK(holds(said.out, "✘ upstream nemo: key"));
  CHECK(holds(said.out, "nemo login --upstream nemo"));
  const Json checks = Json::parse(daemon.run({"doctor", "--json"}).out);
  CHECK(checks.is_array());
  CHECK(checks[0]["state"] == "ok");
}

TEST_CASE("doctor ends with 0 when all is well") {
  Daemon daemon;
  const Said said = daemon.run({"doctor"});
  CAPTURE(said.out);
  CHECK(said.status == 0);
  CHECK(holds(said.out, "it lists 7 models"));
}

TEST_CASE("doctor finds an upstream that does not answer") {
  Daemon daemon;
  daemon.control.probe_outcome = fail(ErrorKind::upstream_error, "connection refused");
  const Said said = daemon.run({"doctor"});
  CHECK(said.status == 1);
  CHECK(holds(said.out, "✘ upstream nemo: answers"));
  CHECK(holds(said.out, "connection refused"));
}

TEST_CASE("doctor without a daemon says so and ends with 1") {
  const test::TemporaryFolder empty;
  const Said said = run_nemo({{"doctor"}, {}, {{"NEMO_SOCKET", (empty.path() / "s").string()}}});
  CHECK(said.status == 1);
  CHECK(holds(said.out, "✘ daemon"));
}

}  // namespace nemo::test::cli_test
