// /budgets: what is spent against what is allowed. Amounts are dollars as exact text.
#pragma once

#include <cstdint>
#include <string>

#include "shared/admin/json.h"

namespace nemo::admin {

// GET /budgets: one budget of one scope; field names are those of `nemo budgets --json`.
struct Budget {
  std::string scope;  // "key", "seat" or "team"
  std::string name;   // a key's id, a seat's or a team's name
  std::string label;  // for people: a key's is its seat and its last four characters
  std::string window;
  std::string limit;
  std::string spent;         // without what is unsettled
  std::string reserved;      // by calls that run
  std::string unsettled;     // after a crash; counts as spent
  std::string remaining;     // that a call may still reserve
  std::int64_t percent = 0;  // of the limit, spent or unsettled; rounded down, so that 100 means it; not bounded
  std::string resets_at;     // RFC 3339; empty: never (a total)
  bool capped = false;       // used up: nothing is left even when all that runs costs nothing
};

// GET /unsettled: what calls had set aside when the daemon crashed.
struct Unsettled {
  std::int64_t id = 0;
  std::string scope;
  std::string name;
  std::string label;
  std::string day;  // "2026-11-22": it counts in the windows that this day lies in
  std::string amount;
  std::string found_at;  // when the daemon came up again
};

// POST /unsettled/{id}/release
struct Release {
  std::string who;
  std::string why;
};

// GET /accuracy: how good the estimates before calls were.
struct Accuracy {
  std::string model;
  std::int64_t calls = 0;  // that had something set aside
  std::int64_t estimated_tokens = 0;
  std::int64_t input_tokens = 0;
  std::int64_t above_estimate = 0;  // calls whose input was larger than estimated
  std::int64_t overruns = 0;        // calls that cost more than was set aside
  std::string overrun_cost;         // by how much, together
  std::string reserved;
  std::string cost;
};

// Part of GET /status: a threshold that was passed.
struct BudgetAlert {
  std::string at;
  std::string scope;
  std::string name;
  std::string label;
  std::string window;
  std::int64_t percent = 0;  // 50, 80 or 100
  std::string limit;
  std::string spent;
};

void to_json(Json& json, const Budget& value);
void from_json(const Json& json, Budget& value);
void to_json(Json& json, const Unsettled& value);
void from_json(const Json& json, Unsettled& value);
void to_json(Json& json, const Release& value);
void from_json(const Json& json, Release& value);
void to_json(Json& json, const Accuracy& value);
void from_json(const Json& json, Accuracy& value);
void to_json(Json& json, const BudgetAlert& value);
void from_json(const Json& json, BudgetAlert& value);

}  // namespace nemo::admin
