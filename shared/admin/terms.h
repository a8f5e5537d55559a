// What a key, a seat or a team may use, as the command line states and sees it. Part of other requests: its fields
// stand among theirs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/admin/json.h"

namespace nemo::admin {

// What is not named stays as it is.
struct TermsRequest {
  std::vector<std::string> budgets;      // "80/month", "none/day", "none"; as people write them, in this order
  std::optional<std::string> rpm;        // a whole number, or "none"
  std::optional<std::string> tpm;        //
  std::optional<std::string> parallel;   //
  std::optional<std::string> on_budget;  // "refuse" or "fallback:MODEL"; keys only

  bool empty() const { return budgets.empty() && !rpm && !tpm && !parallel && !on_budget; }
};

struct Terms {
  std::vector<std::string> budgets;  // "80/month", exact
  std::optional<std::int64_t> rpm;   // absent: no limit; 0: none allowed
  std::optional<std::int64_t> tpm;
  std::optional<std::int64_t> parallel;
  std::string on_budget = "refuse";  // or "fallback:MODEL"
};

void to_json(Json& json, const TermsRequest& value);
void from_json(const Json& json, TermsRequest& value);
void to_json(Json& json, const Terms& value);
void from_json(const Json& json, Terms& value);

}  // namespace nemo::admin
