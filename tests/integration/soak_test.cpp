// Thousands of calls of every kind at once, some cut off by their clients: nothing is lost, and every nano-dollar is
// where it belongs.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "harness.h"
#include "shared/money.h"

namespace nemo::test::soak_test {

using namespace nemo::test;

namespace {

constexpr std::size_t k_calls = 10'000;
constexpr std::size_t k_threads = 64;
constexpr std::uint64_t k_seed = 20'260'917;

enum class Kind {
  plain,
  streamed,
  completion,
  embedding,
  refused,
  upstream_fails,
  leaves_waiting,
  leaves_midway,
  races
};

struct Call {
  std::string marker;  // goes upstream as "user"
  Kind kind = Kind::plain;
  std::string request_id;  // what the answer said, if one came whole
  int status = 0;
};

// Nano-dollars for a million tokens. The flash price is odd, so that rounding shows.
struct Price {
  std::int64_t input, cached, output;
};
constexpr std::int64_t k_tier_above = 200'000;

Price price_of(const std::string& model, std::int64_t input) {
  if (model == "gemini-2.5-flash") return {123'456'789, 12'345'679, 1'987'654'321};
  if (model == "gemini-2.5-pro" && input > k_tier_above) return {2'500'000'000, 250'000'000, 15'000'000'000};
  if (model == "gemini-2.5-pro") return {1'250'000'000, 125'000'000, 10'000'000'000};
  if (model == "codestral-2") return {300'000'000, 300'000'000, 900'000'000};
  return {100'000'000, 100'000'000, 0};  // text-embedding-005
}

std::int64_t nanos(const std::string& model, const Json& tokens) {
  const auto input = tokens["input_tokens"].get<std::int64_t>();
  const auto cached = tokens["cached_tokens"].get<std::int64_t>();
  const auto output = tokens["output_tokens"].get<std::int64_t>();
  const Price price = price_of(model, input);
  // At most some 300,000 tokens at 15 dollars: far inside 64 bits.
  const std::int64_t millionths = (input - cached) * price.input + cached * price.cached + output * price.output;
  return (millionths + 999'999) / 1'000'000;
}

std::int64_t nanos(const Json& cost) {
  return nemo::parse_dollars(cost.get<std::string>())->value;
}

// One client: makes its share of the calls, one after the other, on a connection that it keeps where it can.
class Editor {
 public:
  Editor(Rig& rig, std::size_t number) : m_rig(rig), m_number(number), m_random(k_seed + number) {}

  void run(std::size_t count) {
    try {
      for (std::size_t i = 0; i < count; ++i) make_call(i);
    } catch (const std::exception& error) {
      m_trouble = error.what();
    }
  }
  const std::vector<Call>& calls() const { return m_calls; }
  const std::string& trouble() const { return m_trouble; }

 private:
  std::int64_t draw(std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(m_random() % static_cast<std::uint64_t>(to - from + 1));
  }

  Kind draw_kind() {
    const auto at = draw(0, 99);
    if (at < 30) return Kind::plain;
    if (at < 60) return Kind::streamed;
    if (at < 67) return Kind::completion;
    if (at < 74) return Kind::embedding;
    if (at < 80) return Kind::refused;
    if (at < 83) return Kind::upstream_fails;
    if (at < 88) return Kind::leaves_waiting;
    return at < 95 ? Kind::leaves_midway : Kind::races;
  }

  void make_call(std::size_t index) {
    Call call;
    call.marker = "soak-" + std::to_string(m_number) + "-" + std::to_string(index);
    call.kind = draw_kind();
    if (!m_client) m_client = std::make_unique<Client>(m_rig.port());
    m_client->send(bytes_of(call));
    m_calls.push_back(call);
    if (call.kind == Kind::leaves_waiting) return m_client.reset();
    if (call.kind == Kind::leaves_midway) {
      read_events(draw(1, m_chunks));
      return m_client.reset();
    }
    if (call.kind == Kind::races) {
      if (draw(0, 1) == 0) m_client->receive_some();
      return m_client.reset();
    }
    const Reply reply = m_client->receive();
    if (!reply.whole) throw std::runtime_error(call.marker + " was cut off");
    m_calls.back().status = reply.status;
    m_calls.back().request_id = reply.header("x-nemo-request-id");
    if (reply.header("connection") == "close") m_client.reset();
  }

  void read_events(std::int64_t count) {
    std::string got;
    while (static_cast<std::int64_t>(stream_events(got).size()) < count) {
      const std::string some = m_client->receive_some();
      if (some.empty()) throw std::runtime_error("a stream ended before its client left");
      got += some;
    }
  }

  std::string bytes_of(const Call& call) {
    const std::string prompt(static_cast<std::size_t>(draw(1, 400)), 'p');
    Json body{{"user", call.marker}};
    if (call.kind == Kind::embedding) {
      body.update({{"model", "text-embedding-005"}, {"input", prompt}});
      return m_rig.request("POST", "/v1/embeddings", body.dump());
    }
    if (call.kind == Kind::completion) {
      body.update({{"model", "codestral-2"}, {"prompt", prompt}, {"suffix", "}"}, {"stream", draw(0, 1) == 1}});
      body["fake"] = {{"tokens", draw(1, 40)}};
      body["nemo_cache"] = false;  // a call for each, though their prompts are much alike
      return m_rig.request("POST", "/v1/completions", body.dump());
    }
    body["model"] = draw(0, 2) == 0 ? "gemini-2.5-pro" : "gemini-2.5-flash";
    body["messages"] = {{{"role", "user"}, {"content", prompt}}};
    body["stream"] = call.kind == Kind::streamed || call.kind == Kind::leaves_midway || call.kind == Kind::races;
    if (body["stream"] == true && draw(0, 1) == 0) body["stream_options"] = {{"include_usage", true}};
    body["fake"] = script_of(call.kind);
    if (call.kind == Kind::refused) return refused_request(std::move(body));
    return m_rig.request("POST", "/v1/chat/completions", body.dump());
  }

  Json script_of(Kind kind) {
    Json script{{"tokens", draw(1, 60)}};
    if (draw(0, 3) == 0) script.update({{"prompt_tokens", draw(1'000, 300'000)}, {"cached_tokens", draw(0, 999)}});
    if (draw(0, 4) == 0) script["reasoning_tokens"] = draw(1, 500);
    if (draw(0, 9) == 0) script["chunk_ms"] = 1;
    if (draw(0, 9) == 0) script["split"] = "bytes";
    if (kind == Kind::upstream_fails) script["status"] = draw(0, 1) == 0 ? 500 : 429;
    if (kind == Kind::leaves_waiting) script["delay_ms"] = 600'000;
    if (kind == Kind::leaves_midway) {
      m_chunks = draw(2, 50);
      script.update({{"tokens", 100}, {"chunk_ms", 1}, {"stall_after_chunks", m_chunks}});
    }
    return script;
  }

  std::string refused_request(Json body) {
    switch (draw(0, 3)) {
      case 0:
        body["model"] = "gemini-nobody";
        break;
      case 1:
        body["max_tokens"] = "many";
        break;
      case 2:
        return m_rig.request("POST", "/v1/chat/completions", body.dump(), {"Authorization: Bearer sk-nemo-no"});
      default:
        return m_rig.request("POST", "/v1/chat/completions", "{" + body.dump());
    }
    return m_rig.request("POST", "/v1/chat/completions", body.dump());
  }

  Rig& m_rig;
  std::size_t m_number;
  std::mt19937_64 m_random;
  std::unique_ptr<Client> m_client;
  std::int64_t m_chunks = 0;  // that upstream sends of the call that will be left
  std::vector<Call> m_calls;
  std::string m_trouble;
};

std::vector<Call> make_all_calls(Rig& rig) {
  std::vector<std::unique_ptr<Editor>> editors;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < k_threads; ++i) {
    const std::size_t share = k_calls / k_threads + (i < k_calls % k_threads ? 1 : 0);
    editors.push_back(std::make_unique<Editor>(rig, i));
    threads.emplace_back([editor = editors.back().get(), share] { editor->run(share); });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<Call> all;
  for (const auto& editor : editors) {
    CHECK(editor->trouble() == "");
    all.insert(all.end(), editor->calls().begin(), editor->calls().end());
  }
  return all;
}

// What upstream billed, by the marker of the call.
std::map<std::string, Json> billed_upstream(Rig& rig) {
  std::map<std::string, Json> billed;
  const Json journal = rig.upstream.journal();
  const Json& calls = journal.is_array() ? journal : journal["calls"];
  for (const Json& call : calls) {
    const Json body = Json::parse(call["body"].get<std::string>(), nullptr, false);
    const std::string marker = body.value("user", "");
    CHECK(!billed.contains(marker));
    billed[marker] = call;
  }
  return billed;
}

bool is_answered(Kind kind) {
  return kind == Kind::plain || kind == Kind::streamed || kind == Kind::completion || kind == Kind::embedding;
}

void check_sums(Rig& rig, const std::vector<Call>& calls, const std::map<std::string, Json>& by_id) {
  const auto billed = billed_upstream(rig);
  std::int64_t rows_sum = 0;
  std::int64_t billed_sum = 0;
  std::size_t answered = 0;
  std::size_t unlike = 0;
  for (const Call& call : calls) {
    if (!is_answered(call.kind)) continue;
    ++answered;
    CHECK(call.status == 200);
    REQUIRE(by_id.contains(call.request_id));
    REQUIRE(billed.contains(call.marker));
    const Json& row = by_id.at(call.request_id);
    const Json& upstream = billed.at(call.marker);
    const std::int64_t due = nanos(upstream["model"], upstream["billed"]);
    rows_sum += nanos(row["cost"]);
    billed_sum += due;
    if (nanos(row["cost"]) == due && row["status"] == "ok" && row["usage_source"] == "provider") continue;
    if (++unlike <= 5) MESSAGE("upstream: ", upstream.dump(), "\nrow: ", row.dump());
  }
  MESSAGE(answered, " whole answers, ", nemo::to_dollars({rows_sum}), " dollars");
  CHECK(answered > calls.size() / 2);
  CHECK(unlike == 0);
  CHECK(rows_sum == billed_sum);
}

void check_rows(const std::vector<Call>& calls, const std::vector<Json>& rows) {
  std::map<std::string, std::size_t> seen;
  std::map<Kind, std::size_t> made;
  for (const Call& call : calls) ++made[call.kind];
  for (const Json& row : rows) {
    const std::string status = row["status"];
    ++seen[status];
    const std::string source = row["usage_source"];
    const bool fits = (status == "ok" && source == "provider") ||
                      (status == "cancelled" && source == "partial" && row["cost"] != "0") ||
                      (status == "cancelled" && source == "provider") || (status == "error" && row["cost"] == "0");
    if (!fits) MESSAGE(row.dump());
    CHECK(fits);
    if (source == "provider") CHECK(nanos(row["cost"]) == nanos(row["model"], row));
  }
  const std::size_t answered =
      made[Kind::plain] + made[Kind::streamed] + made[Kind::completion] + made[Kind::embedding];
  const std::size_t left = made[Kind::leaves_waiting] + made[Kind::leaves_midway];
  // A client that races may have had its whole answer when it left.
  CHECK(seen["ok"] >= answered);
  CHECK(seen["cancelled"] >= left);
  CHECK(seen["ok"] + seen["cancelled"] == answered + left + made[Kind::races]);
  CHECK(seen["error"] == made[Kind::refused] + made[Kind::upstream_fails]);
}

}  // namespace

TEST_CASE(
    "after thousands of mixed calls and random cancels the ledger has each of them, and its sums are upstream's") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Rig::Options options;
  // A call that upstream fails is not made again: each is billed at most once.
  options.toml =
      "[routing]\nnum_retries = 0\n"
      "[model.\"gemini-2.5-flash\"]\nprice = { input = \"0.123456789\", cached_input = \"0.012345679\", output = "
      "\"1.987654321\" }\n";
  Rig rig(options);
  MESSAGE("seed ", k_seed, ", ", k_calls, " calls by ", k_threads, " clients");
  const std::vector<Call> calls = make_all_calls(rig);
  REQUIRE(calls.size() == k_calls);

  CHECK(eventually([&] { return rig.admin("GET", "/status")["open_calls"] == 0; }));
  CHECK(eventually([&] { return rig.upstream.summary()["open"] == 0; }));
  CHECK(eventually([&] { return rig.admin("GET", "/status")["ledger"]["written"] >= k_calls; }));
  const Json ledger = rig.admin("GET", "/status")["ledger"];
  CHECK(ledger["written"] == k_calls);
  CHECK(ledger["waiting"] == 0);
  CHECK(ledger["dropped"] == 0);
  const std::vector<Json> rows = rig.rows(k_calls);
  REQUIRE(rows.size() == k_calls);
  std::map<std::string, Json> by_id;
  for (const Json& row : rows) by_id[row["id"].get<std::string>()] = row;
  CHECK(by_id.size() == k_calls);
  check_rows(calls, rows);
  check_sums(rig, calls, by_id);
}

}  // namespace nemo::test::soak_test
