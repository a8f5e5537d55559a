// Keys, teams and budgets as tests give them out, and how they count the money.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "daemon/lib/sqlite/connection.h"
#include "daemon/lib/sqlite/statement.h"
#include "harness.h"
#include "shared/money.h"

namespace nemo::test {

struct KeyInHand {
  std::string id;
  std::string header;  // "Authorization: Bearer sk-nemo-…"
};

// `request` is that of POST /keys; without a seat it is "alex".
inline KeyInHand make_key(Rig& rig, Json request = Json::object()) {
  if (!request.contains("seat")) request["seat"] = "alex";
  const Json made = rig.admin("POST", "/keys", request);
  INFO(made.dump());
  REQUIRE(made.contains("key"));
  return {made["id"], "Authorization: Bearer " + made["key"].get<std::string>()};
}

// POST, PATCH or DELETE that must work.
inline Json change(Rig& rig, const std::string& method, const std::string& path, const Json& body = Json::object()) {
  const Json answer = rig.admin(method, path, body);
  INFO(method, " ", path, " ", body.dump(), ": ", answer.dump());
  REQUIRE(answer.is_object());
  REQUIRE(!answer.contains("error"));
  return answer;
}

inline std::int64_t nanos(const Json& dollars) {
  const auto amount = parse_dollars(dollars.get<std::string>());
  return amount ? amount->value : -1;
}

inline std::string dollars(std::int64_t nano_dollars) {
  return to_dollars({nano_dollars});
}

// The budget of GET /budgets; null: there is none.
inline Json budget_of(Rig& rig, const std::string& scope, const std::string& name, const std::string& window) {
  for (const Json& one : rig.admin("GET", "/budgets")) {
    if (one["scope"] == scope && one["name"] == name && one["window"] == window) return one;
  }
  return {};
}

// Waits until no call is left and every row is written.
inline bool comes_to_rest(Rig& rig) {
  return eventually([&] {
    const Json status = rig.admin("GET", "/status");
    return status["open_calls"] == 0 && status["ledger"]["waiting"] == 0 && rig.upstream.summary()["open"] == 0;
  });
}

// Text that the fake upstream counts as so many tokens, and so does the daemon at four bytes a token.
inline std::string words_of_four_bytes(std::int64_t count) {
  std::string text;
  for (std::int64_t i = 0; i < count; ++i) text += i == 0 ? "abc" : " abc";
  return text;
}

// Prices at which a budget is a number of output tokens: what is read is free.
inline constexpr const char* k_round_price =
    "[model.\"gemini-2.5-flash\"]\nprice = { input = \"0\", cached_input = \"0\", output = \"10\" }\n"
    "[model.\"codestral-2\"]\nprice = { input = \"0\", output = \"10\" }\n";
inline constexpr std::int64_t k_token = 10'000;  // nano-dollars

// "0.0004/total" for 40 tokens.
inline std::string budget_for(std::int64_t tokens, const std::string& window = "total") {
  return dollars(tokens * k_token) + "/" + window;
}

// A chat with gemini-2.5-flash; `more` goes into the body.
inline Json chat_body(const Json& more = Json::object(), const Json& script = Json::object()) {
  Json body{{"model", "gemini-2.5-flash"}, {"messages", Json::array({{{"role", "user"}, {"content", "hello there"}}})}};
  if (!script.is_null()) body["fake"] = script;
  if (!more.is_null()) body.update(more);
  return body;
}

// What upstream was sent in its last call.
inline Json last_sent(Rig& rig) {
  const Json journal = rig.upstream.journal();
  REQUIRE(!journal.empty());
  return Json::parse(journal.back()["body"].get<std::string>(), nullptr, false);
}

// What the database holds of one scope, all days and slots together. One statement: one state of it.
struct Holdings {
  std::int64_t spent = 0;
  std::int64_t leased = 0;
  std::int64_t unsettled = 0;  // not released
  std::int64_t released = 0;   // was unsettled
};

inline Holdings holdings_of(lib::sqlite::Connection& database, const std::string& scope, const std::string& name) {
  lib::sqlite::Statement all(
      database,
      "SELECT coalesce((SELECT sum(cost) FROM scope_spend WHERE kind = ?1 AND name = ?2), 0),"
      " coalesce((SELECT sum(amount) FROM budget_lease WHERE kind = ?1 AND name = ?2), 0),"
      " coalesce((SELECT sum(amount) FROM budget_unsettled WHERE kind = ?1 AND name = ?2 AND released_at IS NULL), 0),"
      " coalesce((SELECT sum(amount) FROM budget_unsettled WHERE kind = ?1 AND name = ?2 AND released_at > 0), 0)");
  all.bind_all(scope, name);
  if (!all.step()) return {};
  return {all.integer(0), all.integer(1), all.integer(2), all.integer(3)};
}

inline Holdings holdings_of(const std::filesystem::path& file, const std::string& scope, const std::string& name) {
  lib::sqlite::Connection database(file, lib::sqlite::Access::read_only);
  return holdings_of(database, scope, name);
}

}  // namespace nemo::test
