// A budget is never passed: not by a thousand calls at once, whatever becomes of each, and not while the budget itself
// is changed under them.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "entitled.h"

namespace nemo::test::budget_ceiling_test {

using namespace nemo::test;

namespace {

constexpr std::size_t k_calls = 1'000;
constexpr std::size_t k_connections = 64;
constexpr std::uint64_t k_seed = 20'261'122;

enum class Kind { plain, streamed, streamed_with_usage, completion, embedding, upstream_fails, left };

struct Call {
  std::string marker;  // goes upstream as "user"
  Kind kind = Kind::plain;
  int status = 0;
  std::string request_id;
  std::string error_code;
};

// Nano-dollars for a million tokens.
struct Price {
  std::int64_t input, cached, output;
};

struct Plan {
  Json body;
  std::int64_t chunks = 0;  // that a client reads which then leaves; 0: it stays
};

// What the calls of a test are. Called by many threads.
using Make = std::function<Plan(Kind, std::mt19937_64&)>;

std::int64_t draw(std::mt19937_64& random, std::int64_t from, std::int64_t to) {
  return from + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(to - from + 1));
}

// One client on one connection, which it opens anew where it left a stream.
class Editor {
 public:
  Editor(Rig& rig, const KeyInHand& key, const Make& make, std::size_t number)
      : m_rig(rig), m_key(key), m_make(make), m_number(number), m_random(k_seed + number) {}

  void run(std::size_t count, const std::vector<Kind>& kinds) {
    try {
      for (std::size_t i = 0; i < count; ++i) make_call(kinds[m_random() % kinds.size()], i);
    } catch (const std::exception& error) {
      m_trouble = error.what();
    }
  }
  const std::vector<Call>& calls() const { return m_calls; }
  const std::string& trouble() const { return m_trouble; }

 private:
  void make_call(Kind kind, std::size_t index) {
    m_calls.push_back({"call-" + std::to_string(m_number) + "-" + std::to_string(index), kind, 0, "", ""});
    Plan plan = m_make(kind, m_random);
    plan.body["user"] = m_calls.back().marker;
    const char* path = kind == Kind::completion  ? "/v1/completions"
                       : kind == Kind::embedding ? "/v1/embeddings"
                                                 : "/v1/chat/completions";
    if (!m_client) m_client = std::make_unique<Client>(m_rig.port());
    m_client->send(m_rig.request("POST", path, plan.body.dump(), {m_key.header}));
    if (plan.chunks > 0) return read_and_leave(plan.chunks);
    const Reply reply = m_client->receive();
    if (!reply.whole) throw std::runtime_error(m_calls.back().marker + " was cut off");
    note(reply);
    if (reply.header("connection") == "close") m_client.reset();
  }

  void read_and_leave(std::int64_t chunks) {
    Reply reply;
    while (static_cast<std::int64_t>(stream_events(reply.head).size()) < chunks) {
      const std::string some = m_client->receive_some();
      if (some.empty()) throw std::runtime_error("a stream ended before its client left");
      reply.head += some;
      reply.status = std::stoi(reply.head.substr(9, 3));
      if (reply.status != 200) break;
    }
    const auto end = reply.head.find("\r\n\r\n");
    reply.body = reply.head.substr(std::min(end + 4, reply.head.size()));
    note(reply);
    m_client.reset();
  }

  void note(const Reply& reply) {
    Call& call = m_calls.back();
    call.status = reply.status;
    call.request_id = reply.header("x-nemo-request-id");
    if (reply.status == 200) return;
    const Json code = reply.json()["error"]["code"];  // null where upstream named none
    if (code.is_string()) call.error_code = code;
  }

  Rig& m_rig;
  const KeyInHand& m_key;
  const Make& m_make;
  std::size_t m_number;
  std::mt19937_64 m_random;
  std::unique_ptr<Client> m_client;
  std::vector<Call> m_calls;
  std::string m_trouble;
};

std::vector<Call> make_all_calls(Rig& rig, const KeyInHand& key, const std::vector<Kind>& kinds, const Make& make,
                                 std::size_t count = k_calls) {
  std::vector<std::unique_ptr<Editor>> editors;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < k_connections; ++i) {
    const std::size_t share = count / k_connections + (i < count % k_connections ? 1 : 0);
    editors.push_back(std::make_unique<Editor>(rig, key, make, i));
    threads.emplace_back([editor = editors.back().get(), share, &kinds] { editor->run(share, kinds); });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<Call> all;
  for (const auto& editor : editors) {
    CHECK(editor->trouble() == "");
    all.insert(all.end(), editor->calls().begin(), editor->calls().end());
  }
  CHECK(comes_to_rest(rig));
  return all;
}

// A seat in a team, with one key.
struct Budgets {
  std::int64_t key, seat, team;
};
struct Crew {
  KeyInHand key;
  std::vector<std::pair<std::array<std::string, 3>, std::int64_t>> limits;  // scope, name and window, and how much
};

Crew hire(Rig& rig, const Budgets& budgets) {
  change(rig, "POST", "/teams", {{"name", "crew"}, {"budgets", {dollars(budgets.team) + "/week"}}});
  Crew crew{make_key(rig, {{"team", "crew"}, {"budgets", {dollars(budgets.key) + "/total"}}}), {}};
  change(rig, "PATCH", "/seats/alex", {{"budgets", {dollars(budgets.seat) + "/month"}}});
  crew.limits = {{{"key", crew.key.id, "total"}, budgets.key},
                 {{"seat", "alex", "month"}, budgets.seat},
                 {{"team", "crew", "week"}, budgets.team}};
  return crew;
}

// Looks into the database again and again while calls run: spent and leased together stay within every limit.
class Watch {
 public:
  Watch(const Rig& rig, const Crew& crew)
      : m_database(rig.folder() / "nemo.db", nemo::lib::sqlite::Access::read_only), m_crew(crew), m_thread([this] {
          while (!m_stop) look();
        }) {}
  ~Watch() {
    m_stop = true;
    m_thread.join();
    CHECK(m_looks > 0);
    CHECK(m_beyond == 0);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  void look() {
    for (const auto& [budget, limit] : m_crew.limits) {
      const Holdings now = holdings_of(m_database, budget[0], budget[1]);
      if (now.spent + now.leased > limit) ++m_beyond;
    }
    ++m_looks;
  }

  nemo::lib::sqlite::Connection m_database;
  const Crew& m_crew;
  std::atomic<bool> m_stop{false};
  std::atomic<int> m_looks{0};
  std::atomic<int> m_beyond{0};
  std::thread m_thread;
};

std::map<std::string, Json> billed_by_marker(Rig& rig) {
  std::map<std::string, Json> billed;
  for (const Json& call : rig.upstream.journal()) {
    const Json body = Json::parse(call["body"].get<std::string>(), nullptr, false);
    billed[body.value("user", "")] = call;
  }
  return billed;
}

std::int64_t cost_of(const Price& price, const Json& tokens) {
  const auto input = tokens["input_tokens"].get<std::int64_t>();
  const auto cached = tokens["cached_tokens"].get<std::int64_t>();
  const auto output = tokens["output_tokens"].get<std::int64_t>();
  const std::int64_t millionths = (input - cached) * price.input + cached * price.cached + output * price.output;
  return (millionths + 999'999) / 1'000'000;
}

std::map<std::string, Json> rows_by_id(Rig& rig, std::size_t count) {
  std::map<std::string, Json> by_id;
  for (const Json& row : rig.rows(count)) by_id[row["id"].get<std::string>()] = row;
  CHECK(by_id.size() == count);
  return by_id;
}

// Nothing is set aside any more, and every scope has spent exactly `spent`, in memory and in the database.
void check_standings(Rig& rig, const Crew& crew, std::int64_t spent) {
  for (const auto& one : crew.limits) {
    const auto& budget = one.first;
    const auto& limit = one.second;
    CAPTURE(budget[0]);
    const Json standing = budget_of(rig, budget[0], budget[1], budget[2]);
    REQUIRE(standing.is_object());
    CHECK(nanos(standing["limit"]) == limit);
    CHECK(standing["reserved"] == "0");
    CHECK(standing["unsettled"] == "0");
    CHECK(nanos(standing["spent"]) == spent);
    CHECK(spent <= limit);
    CHECK(holdings_of(rig.folder() / "nemo.db", budget[0], budget[1]).spent == spent);
  }
}

// --- calls that all cost the same ---

constexpr std::int64_t k_words = 40;
constexpr std::int64_t k_cost = k_words * k_token;

// Streams that are left have had all their words by then, so that they cost what the others do.
Plan same_call(Kind kind, std::mt19937_64& random) {
  Json script{{"content", words_of_four_bytes(k_words)}};
  if (draw(random, 0, 3) == 0) script["chunk_ms"] = 0.1;
  Json body{{"model", "gemini-2.5-flash"},
            {"max_tokens", k_words},
            {"stream", kind != Kind::plain},
            {"messages", {{{"role", "user"}, {"content", "the same"}}}}};
  if (kind == Kind::streamed_with_usage) body["stream_options"] = {{"include_usage", true}};
  if (kind == Kind::left) script["stall_after_chunks"] = k_words + 1;
  body["fake"] = script;
  return {body, kind == Kind::left ? k_words + 1 : 0};
}

const std::vector<Kind> k_same_kinds{Kind::plain, Kind::streamed, Kind::streamed_with_usage, Kind::left};

std::int64_t count_status(const std::vector<Call>& calls, int status, const std::string& code = "") {
  return std::count_if(calls.begin(), calls.end(),
                       [&](const Call& call) { return call.status == status && call.error_code == code; });
}

std::int64_t answered_upstream(Rig& rig) {
  return rig.upstream.summary()["ended"].get<std::int64_t>();
}

// --- calls of all sorts ---

const std::map<std::string, Price> k_odd_prices{{"gemini-2.5-flash", {123'456'789, 12'345'679, 1'987'654'321}},
                                                {"codestral-2", {300'000'001, 300'000'001, 900'000'007}},
                                                {"text-embedding-005", {77'777'777, 77'777'777, 0}}};
const char* const k_odd_price_toml =
    "[model.\"gemini-2.5-flash\"]\n"
    "price = { input = \"0.123456789\", cached_input = \"0.012345679\", output = \"1.987654321\" }\n"
    "[model.\"codestral-2\"]\nprice = { input = \"0.300000001\", output = \"0.900000007\" }\n"
    "[model.\"text-embedding-005\"]\nprice = { input = \"0.077777777\", output = \"0\" }\n";

std::int64_t tokens_in(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + 3) / 4);
}

Plan mixed_chat(Kind kind, std::mt19937_64& random) {
  const std::int64_t words = draw(random, 1, 120);
  const std::int64_t reasoning = draw(random, 0, 3) == 0 && kind != Kind::left ? draw(random, 1, 100) : 0;
  const Json messages{
      {{"role", "user"}, {"content", std::string(static_cast<std::size_t>(draw(random, 1, 300)), 'p')}}};
  Json script{{"content", words_of_four_bytes(words)}, {"reasoning_tokens", reasoning}};
  if (draw(random, 0, 2) == 0) script.update({{"prompt_tokens", draw(random, 1, 64)}, {"cached_tokens", 5}});
  if (draw(random, 0, 9) == 0) script["chunk_ms"] = 1;
  if (kind == Kind::upstream_fails) script["status"] = draw(random, 0, 1) == 0 ? 500 : 429;
  Json body{{"model", "gemini-2.5-flash"}, {"messages", messages}};
  body["stream"] = kind == Kind::streamed || kind == Kind::streamed_with_usage || kind == Kind::left;
  if (kind == Kind::streamed_with_usage) body["stream_options"] = {{"include_usage", true}};
  // Without a limit of its own a call sets aside all that is left, and is held to it.
  if (draw(random, 0, 39) != 0) body["max_tokens"] = words + reasoning + draw(random, 0, 1) * draw(random, 0, 300);
  std::int64_t chunks = 0;
  if (kind == Kind::left) {
    // Role, then words. The prompt is counted as the daemon counts it where upstream does not say.
    chunks = 1 + draw(random, 1, words);
    script.erase("cached_tokens");
    script.update({{"stall_after_chunks", chunks}, {"prompt_tokens", tokens_in(messages.dump().size())}});
  }
  body["fake"] = script;
  return {body, chunks};
}

Plan mixed_call(Kind kind, std::mt19937_64& random) {
  const std::string prompt(static_cast<std::size_t>(draw(random, 1, 300)), 'p');
  if (kind == Kind::embedding) return {{{"model", "text-embedding-005"}, {"input", prompt}}, 0};
  if (kind != Kind::completion) return mixed_chat(kind, random);
  return {{{"model", "codestral-2"},
           {"prompt", prompt},
           {"nemo_cache", false},  // a call for each, though their prompts are much alike
           {"suffix", "}"},
           {"stream", draw(random, 0, 1) == 1},
           {"max_tokens", draw(random, 20, 40)},
           {"fake", {{"content", words_of_four_bytes(draw(random, 1, 30))}}}},
          0};
}

}  // namespace

TEST_CASE("of a thousand calls at once exactly as many are made as the tightest of three budgets buys") {
  constexpr std::int64_t k_bought = 137;
  constexpr std::int64_t k_exactly = k_bought * k_cost;
  const std::vector<Budgets> cases{{k_exactly, 2 * k_exactly, 3 * k_exactly},
                                   {k_exactly + 2 * k_cost, k_exactly + k_cost - 1, 2 * k_exactly},
                                   {3 * k_exactly, k_exactly + k_cost, k_exactly + k_cost / 2}};
  for (const Budgets& budgets : cases) {
    CAPTURE(budgets.key);
    Rig rig({k_round_price, "", {}, false});
    const Crew crew = hire(rig, budgets);
    std::vector<Call> calls;
    {
      const Watch watch(rig, crew);
      calls = make_all_calls(rig, crew.key, k_same_kinds, same_call);
    }
    CHECK(count_status(calls, 200) == k_bought);
    CHECK(count_status(calls, 402, "budget_exceeded") == static_cast<std::int64_t>(k_calls) - k_bought);
    CHECK(answered_upstream(rig) == k_bought);
    std::int64_t billed = 0;
    for (const auto& [marker, call] : billed_by_marker(rig)) {
      billed += cost_of({0, 0, k_token * 1'000'000}, call["billed"]);
    }
    CHECK(billed == k_exactly);
    std::int64_t written = 0;
    for (const auto& [id, row] : rows_by_id(rig, k_calls)) {
      written += nanos(row["cost"]);
      if (row["status"] == "refused") CHECK(row["cost"] == "0");
    }
    CHECK(written == billed);
    check_standings(rig, crew, billed);
  }
}

TEST_CASE(
    "with calls of every sort and odd prices, upstream bills no more than any limit and the books agree to the "
    "nano-dollar") {
  Rig rig({k_odd_price_toml, "", {}, false});
  // An average call costs some 130,000 nano-dollars.
  const Crew crew = hire(rig, {25'000'123, 24'000'457, 24'500'001});
  const std::vector<Kind> kinds{Kind::plain,      Kind::streamed,  Kind::streamed_with_usage, Kind::left,
                                Kind::completion, Kind::embedding, Kind::upstream_fails};
  std::vector<Call> calls;
  {
    const Watch watch(rig, crew);
    calls = make_all_calls(rig, crew.key, kinds, mixed_call);
  }
  MESSAGE("seed ", k_seed, ": ", count_status(calls, 200), " of ", calls.size(), " calls were answered");
  CHECK(count_status(calls, 200) > 100);
  CHECK(count_status(calls, 402, "budget_exceeded") > 100);
  const auto rows = rows_by_id(rig, k_calls);
  const auto billed = billed_by_marker(rig);
  std::int64_t billed_sum = 0;
  std::int64_t written_sum = 0;
  int unlike = 0;
  for (const Call& call : calls) {
    REQUIRE(rows.contains(call.request_id));
    const Json& row = rows.at(call.request_id);
    written_sum += nanos(row["cost"]);
    const auto upstream = billed.find(call.marker);
    CHECK((upstream == billed.end()) == (call.status == 402));
    std::int64_t due = 0;
    if (upstream != billed.end()) {
      due = cost_of(k_odd_prices.at(upstream->second["model"]), upstream->second["billed"]);
      // No call was let run beyond what it had set aside.
      CHECK(due <= nanos(row["reserved"]));
    }
    billed_sum += due;
    if (due == nanos(row["cost"])) continue;
    if (++unlike <= 5) MESSAGE("upstream: ", upstream->second.dump(), "\nrow: ", row.dump());
  }
  CHECK(unlike == 0);
  CHECK(billed_sum == written_sum);
  check_standings(rig, crew, billed_sum);
}

TEST_CASE("limits that are raised and lowered while calls run are passed neither way") {
  Rig rig({k_round_price, "", {}, false});
  Crew crew = hire(rig, {10 * k_cost, 1'000 * k_cost, 1'000 * k_cost});
  std::mt19937_64 random(k_seed);
  const auto set_limit = [&](const char* what, const std::string& name, std::int64_t calls, const char* window) {
    change(rig, "PATCH", std::string(what) + name, {{"budgets", {dollars(calls * k_cost) + window}}});
  };
  std::int64_t highest_key = 10;
  std::int64_t highest_team = 1'000;
  std::atomic<bool> done{false};
  std::string trouble;
  std::thread admin([&] {
    try {
      set_limit("/teams/", "crew", 60, "/week");
      highest_team = 60;  // of all that were in force with money to spend
      while (!done) {
        const std::int64_t key = draw(random, 0, 120);
        const std::int64_t team = draw(random, 40, 110);
        highest_key = std::max(highest_key, key);
        highest_team = std::max(highest_team, team);
        set_limit("/keys/", crew.key.id, key, "/total");
        set_limit("/teams/", "crew", team, "/week");
      }
    } catch (const std::exception& error) {
      trouble = error.what();
    }
  });
  const auto calls = make_all_calls(rig, crew.key, k_same_kinds, same_call);
  done = true;
  admin.join();
  CHECK(trouble == "");
  const std::int64_t spent = count_status(calls, 200);
  MESSAGE(spent, " calls were let through by limits of up to ", highest_key, " and ", highest_team);
  CHECK(count_status(calls, 402, "budget_exceeded") == static_cast<std::int64_t>(k_calls) - spent);
  CHECK(answered_upstream(rig) == spent);
  CHECK(spent > 10);
  CHECK(spent <= std::min(highest_key, highest_team));

  set_limit("/teams/", "crew", 1'000, "/week");
  for (const std::int64_t more : {-3, 0, 5}) {
    set_limit("/keys/", crew.key.id, spent + more, "/total");
    const std::int64_t before = answered_upstream(rig);
    make_all_calls(rig, crew.key, k_same_kinds, same_call, 100);
    CHECK(answered_upstream(rig) - before == std::max<std::int64_t>(more, 0));
  }
  crew.limits = {{{"key", crew.key.id, "total"}, (spent + 5) * k_cost},
                 {{"seat", "alex", "month"}, 1'000 * k_cost},
                 {{"team", "crew", "week"}, 1'000 * k_cost}};
  check_standings(rig, crew, (spent + 5) * k_cost);
}

}  // namespace nemo::test::budget_ceiling_test
