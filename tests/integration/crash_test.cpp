// kill -9 at random moments under load, again and again on the same data folder: whatever upstream billed counts as
// spent afterwards, no budget is passed, and no call that a client saw complete is missing.
//
// NEMO_CRASH_ROUNDS says how many times (scripts/test-crash: 200), NEMO_CRASH_SEED repeats a run's draws.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "child_process.h"
#include "entitled.h"

namespace nemo::test::crash_test {

using namespace nemo::test;

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr int k_usual_rounds = 25;  // some ten seconds
constexpr std::size_t k_clients = 8;
// Calls cost some 80,000 nano-dollars each.
constexpr std::int64_t k_key_budget = 3'000'000;
constexpr std::int64_t k_team_budget = 6'000'000;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::int64_t draw(std::mt19937_64& random, std::int64_t from, std::int64_t to) {
  return from + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(to - from + 1));
}

// A zone in which it will not be midnight for hours: the key's budget is one of a day.
std::string zone_of_a_young_day() {
  const auto now = std::chrono::system_clock::now();
  const auto hour = std::chrono::floor<std::chrono::hours>(now - std::chrono::floor<std::chrono::days>(now));
  return hour < std::chrono::hours(12) ? "UTC" : "Pacific/Honolulu";
}

// A client's view of a call that it saw whole.
struct Seen {
  std::string id;
  std::string marker;
};

std::int64_t tokens_in(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + 3) / 4);
}

// Makes calls until the daemon is gone.
class Editor {
 public:
  Editor(int port, std::vector<std::string> keys, std::string name, std::uint64_t seed)
      : m_port(port), m_keys(std::move(keys)), m_name(std::move(name)), m_random(seed) {}

  void run() {
    try {
      for (int i = 0; make_call(i); ++i) {
      }
    } catch (const std::exception&) {  // no connection: it was killed
    }
  }
  const std::vector<Seen>& seen() const { return m_seen; }
  std::int64_t refused() const { return m_refused; }

 private:
  // False: the connection broke.
  bool make_call(int index) {
    if (!m_client) m_client = std::make_unique<Client>(m_port);
    const std::size_t payer = m_random() % m_keys.size();
    const std::string marker = "payer-" + std::to_string(payer) + " " + m_name + "-" + std::to_string(index);
    std::int64_t chunks_to_read = 0;
    const std::string body = body_of(marker, chunks_to_read);
    const std::string bytes = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " +
                              m_keys[payer] + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    if (!m_client->send(bytes)) return false;
    if (chunks_to_read > 0) return read_and_leave(chunks_to_read);
    const Reply reply = m_client->receive();
    const bool done = reply.whole || reply.body.find("[DONE]") != std::string::npos;
    if (done && reply.status == 200) m_seen.push_back({reply.header("x-nemo-request-id"), marker});
    if (done && reply.status == 402) ++m_refused;
    return reply.whole;
  }

  bool read_and_leave(std::int64_t chunks) {
    std::string got;
    while (static_cast<std::int64_t>(stream_events(got).size()) < chunks && !got.starts_with("HTTP/1.1 4")) {
      const std::string some = m_client->receive_some();
      if (some.empty()) return false;
      got += some;
    }
    m_client.reset();
    return true;
  }

  std::string body_of(const std::string& marker, std::int64_t& chunks_to_read) {
    const std::int64_t words = draw(m_random, 1, 60);
    const Json messages{
        {{"role", "user"}, {"content", std::string(static_cast<std::size_t>(draw(m_random, 1, 200)), 'p')}}};
    Json script{{"content", words_of_four_bytes(words)}};
    const std::int64_t kind = draw(m_random, 0, 5);
    if (draw(m_random, 0, 1) == 0) script["chunk_ms"] = draw(m_random, 1, 5) * 0.2;
    if (kind == 0) {
      chunks_to_read = 1 + draw(m_random, 1, words);
      script.update({{"stall_after_chunks", chunks_to_read}, {"prompt_tokens", tokens_in(messages.dump().size())}});
    }
    return Json{{"model", "gemini-2.5-flash"}, {"user", marker}, {"stream", kind < 4},
                {"max_tokens", words + 10},    {"fake", script}, {"messages", messages}}
        .dump();
  }

  int m_port;
  std::vector<std::string> m_keys;
  std::string m_name;
  std::mt19937_64 m_random;
  std::unique_ptr<Client> m_client;
  std::vector<Seen> m_seen;
  std::int64_t m_refused = 0;
};

// The fake upstream bills at these prices (nano-dollars for a million tokens), and so does the daemon.
constexpr std::int64_t k_input_price = 300'000'000;
constexpr std::int64_t k_output_price = 2'500'000'000;

std::int64_t cost_of(const Json& billed) {
  const std::int64_t millionths = billed["input_tokens"].get<std::int64_t>() * k_input_price +
                                  billed["output_tokens"].get<std::int64_t>() * k_output_price;
  return (millionths + 999'999) / 1'000'000;
}

// A budget that is watched through all rounds.
struct Purse {
  std::string scope, name, window;
  std::string path;  // of the admin route that changes it
  std::int64_t limit = 0;
  std::int64_t accounted = 0;  // spent and unsettled, released or not, when the last round began
  std::int64_t lost = 0;       // unsettled, released or not, when the last round began
  std::int64_t billed = 0;     // by upstream in the last round
};

class Trial {
 public:
  explicit Trial(std::uint64_t seed) : m_random(seed) {
    std::ofstream(config()) << "listen = \"127.0.0.1:0\"\ntime_zone = \"" << zone_of_a_young_day()
                            << "\"\n[[upstream]]\nname = \"fake\"\nkind = \"openai\"\nbase_url = \""
                            << m_upstream.base_url()
                            << "\"\n[model.\"gemini-2.5-flash\"]\nprice = { input = \"0.3\", output = \"2.5\" }\n";
    start();
    ask("POST", "/teams", {{"name", "crew"}, {"budgets", {dollars(k_team_budget) + "/total"}}});
    const Json first =
        ask("POST", "/keys", {{"seat", "alex"}, {"team", "crew"}, {"budgets", {dollars(k_key_budget) + "/day"}}});
    const Json second = ask("POST", "/keys", {{"seat", "kim"}, {"team", "crew"}});
    m_keys = {first["key"], second["key"]};
    m_purses = {{"key", first["id"], "day", "/keys/" + first["id"].get<std::string>(), k_key_budget},
                {"team", "crew", "total", "/teams/crew", k_team_budget}};
  }

  void round(int number) {
    std::vector<std::unique_ptr<Editor>> editors;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < k_clients; ++i) {
      const std::string name = std::to_string(number) + "-" + std::to_string(i);
      editors.push_back(std::make_unique<Editor>(m_port, m_keys, name, m_random()));
      threads.emplace_back([editor = editors.back().get()] { editor->run(); });
    }
    // Now and then long enough for idle leases to go back.
    const auto wait = draw(m_random, 0, 11) == 0 ? milliseconds(1'300) : milliseconds(draw(m_random, 0, 150));
    std::this_thread::sleep_for(wait);
    kill();
    for (std::thread& thread : threads) thread.join();
    CHECK(eventually([&] { return m_upstream.summary()["open"] == 0; }));
    take_bill(editors);
    if (draw(m_random, 0, 5) == 0) crash_while_starting();
    start();
    check();
    make_room();
  }

  // The last daemon ends as it should: nothing is left open.
  void end() {
    m_nemod->signal(SIGTERM);
    CHECK(m_nemod->wait() == 0);
    for (const Purse& purse : m_purses) {
      const Holdings now = holdings_of(database(), purse.scope, purse.name);
      CHECK(now.leased == 0);
      CHECK(now.unsettled + now.released == purse.lost);
    }
  }

  std::string summary() const {
    return std::to_string(m_calls) + " calls reached upstream and " + std::to_string(m_seen.size()) +
           " were seen whole, " + std::to_string(m_refused) +
           " were refused; the worst that a crash left unsettled: $" + dollars(m_worst) + " (" + m_worst_of +
           "), budgets released " + std::to_string(m_releases) + " times, raised " + std::to_string(m_raises) +
           " times";
  }

 private:
  std::string config() const { return (m_folder.path() / "nemo.toml").string(); }
  fs::path data() const { return m_folder.path() / "data"; }
  fs::path database() const { return data() / "nemo.db"; }
  Json ask(const std::string& method, const std::string& path, const Json& body = {}) {
    const Json answer = ask_admin(data() / "nemod.sock", method, path, body);
    INFO(method, " ", path, ": ", answer.dump());
    REQUIRE(!answer.is_discarded());
    REQUIRE(!answer.contains("error"));
    return answer;
  }
  std::vector<std::string> command() const {
    return {nemod_path(), "--config", config(), "--data-dir", data().string(), "--log-level", "error"};
  }

  void start() {
    m_nemod = std::make_unique<ChildProcess>(command());
    const std::string line = m_nemod->wait_for_line("nemod ready on ");
    INFO(m_nemod->output());
    REQUIRE(!line.empty());
    m_port = std::stoi(line.substr(line.rfind(':') + 1));
  }

  void kill() {
    m_nemod->signal(SIGKILL);
    CHECK(m_nemod->wait() == -SIGKILL);
  }

  void crash_while_starting() {
    m_nemod = std::make_unique<ChildProcess>(command());
    std::this_thread::sleep_for(milliseconds(draw(m_random, 0, 60)));
    kill();
  }

  void take_bill(const std::vector<std::unique_ptr<Editor>>& editors) {
    for (Purse& purse : m_purses) purse.billed = 0;
    m_bill.clear();
    for (const Json& call : m_upstream.journal()) {
      const std::string marker = Json::parse(call["body"].get<std::string>(), nullptr, false).value("user", "");
      const std::int64_t cost = cost_of(call["billed"]);
      m_bill[marker] = cost;
      if (marker.starts_with("payer-0")) m_purses[0].billed += cost;
      m_purses[1].billed += cost;
    }
    m_calls += m_bill.size();
    m_upstream.reset();
    m_newly_seen.clear();
    for (const auto& editor : editors) {
      m_newly_seen.insert(m_newly_seen.end(), editor->seen().begin(), editor->seen().end());
      m_refused += editor->refused();
    }
  }

  void check() {
    nemo::lib::sqlite::Connection database(this->database(), nemo::lib::sqlite::Access::read_only);
    for (Purse& purse : m_purses) {
      const Holdings now = holdings_of(database, purse.scope, purse.name);
      CAPTURE(purse.scope);
      const std::int64_t lost = now.unsettled + now.released;
      // What was used is not free again, and nothing goes beyond the limit.
      CHECK(now.spent + lost - purse.accounted >= purse.billed);
      CHECK(now.spent + now.unsettled <= purse.limit);
      CHECK(now.leased == 0);
      if (lost - purse.lost > m_worst) {
        m_worst = lost - purse.lost;
        m_worst_of = purse.scope + ", limit $" + dollars(purse.limit);
      }
      purse.accounted = now.spent + lost;
      purse.lost = lost;
      const Json standing = standing_of(purse);
      CHECK(nanos(standing["spent"]) == now.spent);
      CHECK(nanos(standing["unsettled"]) == now.unsettled);
      CHECK(standing["reserved"] == "0");
    }
    check_rows(database);
  }

  void check_rows(nemo::lib::sqlite::Connection& database) {
    using nemo::lib::sqlite::Statement;
    Statement find(database, "SELECT cost, http_status FROM call WHERE id = ?1");
    for (const Seen& one : m_newly_seen) {
      m_seen.insert(one.id);
      find.bind_all(one.id);
      const bool found = find.step();
      CAPTURE(one.id);
      CHECK(found);
      if (!found) continue;
      CHECK(find.integer(0) == m_bill[one.marker]);
      CHECK(find.integer(1) == 200);
      find.reset();
    }
    Statement rows(database, "SELECT count(*), count(DISTINCT id) FROM call");
    REQUIRE(rows.step());
    CHECK(rows.integer(0) == rows.integer(1));
    CHECK(rows.integer(0) >= static_cast<std::int64_t>(m_seen.size()));
    // The sums that budgets go by are the sums of the rows.
    Statement spent(database,
                    "SELECT (SELECT sum(cost) FROM call WHERE team = 'crew'),"
                    " (SELECT sum(cost) FROM scope_spend WHERE kind = 'team' AND name = 'crew')");
    REQUIRE(spent.step());
    CHECK(spent.integer(0) == spent.integer(1));
  }

  Json standing_of(const Purse& purse) {
    for (const Json& one : ask("GET", "/budgets")) {
      if (one["scope"] == purse.scope && one["name"] == purse.name) return one;
    }
    FAIL("there is no budget for " << purse.scope);
    return {};
  }

  // A budget that is nearly used up gets back what crashes hold of it, or is raised.
  void make_room() {
    for (Purse& purse : m_purses) {
      if (nanos(standing_of(purse)["remaining"]) > purse.limit / 4 || draw(m_random, 0, 1) == 0) continue;
      if (draw(m_random, 0, 1) == 0 && release(purse)) continue;
      const std::int64_t now = holdings_of(database(), purse.scope, purse.name).spent;
      purse.limit = std::max(purse.limit, now) + k_key_budget;
      ask("PATCH", purse.path, {{"budgets", {dollars(purse.limit) + "/" + purse.window}}});
      ++m_raises;
    }
  }

  bool release(const Purse& purse) {
    bool any = false;
    for (const Json& one : ask("GET", "/unsettled")) {
      if (one["scope"] != purse.scope || one["name"] != purse.name) continue;
      ask("POST", "/unsettled/" + std::to_string(one["id"].get<std::int64_t>()) + "/release",
          {{"who", "the test"}, {"why", "upstream's bill was compared"}});
      any = true;
    }
    if (any) ++m_releases;
    return any;
  }

  std::mt19937_64 m_random;
  TempFolder m_folder;
  FakeUpstream m_upstream;
  std::unique_ptr<ChildProcess> m_nemod;
  int m_port = 0;
  std::vector<std::string> m_keys;             // the second has no budget of its own
  std::vector<Purse> m_purses;                 // the first key's and the team's
  std::map<std::string, std::int64_t> m_bill;  // by marker, of the last round
  std::vector<Seen> m_newly_seen;
  std::set<std::string> m_seen;
  std::size_t m_calls = 0;
  std::int64_t m_refused = 0;
  std::int64_t m_worst = 0;
  std::string m_worst_of = "-";
  int m_releases = 0;
  int m_raises = 0;
};

}  // namespace

TEST_CASE("kill -9 under load frees no budget that was used, passes none, and loses no call that a client saw whole") {
  const auto rounds = static_cast<int>(number_from("NEMO_CRASH_ROUNDS", k_usual_rounds));
  const std::uint64_t seed = number_from("NEMO_CRASH_SEED", std::random_device{}());
  MESSAGE(rounds, " rounds, seed ", seed);
  Trial trial(seed);
  for (int i = 0; i < rounds; ++i) {
    CAPTURE(i);
    trial.round(i);
  }
  trial.end();
  MESSAGE(rounds, " rounds of kill -9: ", trial.summary());
}

}  // namespace nemo::test::crash_test
