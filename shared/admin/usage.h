// GET /usage and /usage/accepted: sums over the ledger.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/admin/json.h"

namespace nemo::admin {

struct UsageQuery {
  std::string by = "model";
  std::string since;  // RFC 3339; empty: from the beginning
  std::string until;
  bool paths = false;  // projects by their whole path; else by its last component, and one row for all of one name
};

struct UsageRow {
  std::string group;
  std::int64_t calls = 0;
  std::int64_t errors = 0;
  std::int64_t input_tokens = 0;
  std::int64_t cached_tokens = 0;  // the part of input_tokens that the providers' caches had
  std::int64_t output_tokens = 0;
  std::string cost;                     // dollars, exact
  std::int64_t cache_write_tokens = 0;  // the part of input_tokens that was written to those caches, billed apart
};

// Completions that were shown, each once. Those that are neither accepted nor dismissed have not been judged.
struct AcceptanceRow {
  std::string group;
  std::int64_t shown = 0;
  std::int64_t accepted = 0;  // in full
  std::int64_t partly = 0;
  std::int64_t dismissed = 0;
};

void to_json(Json& json, const UsageRow& value);
void from_json(const Json& json, UsageRow& value);
void to_json(Json& json, const AcceptanceRow& value);
void from_json(const Json& json, AcceptanceRow& value);

}  // namespace nemo::admin
