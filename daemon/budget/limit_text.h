// Budgets as people write them.
#pragma once

#include <string_view>

#include "daemon/call/terms.h"
#include "shared/result.h"

namespace nemo::budget {

// "80/month", "0.5/day", "400/total"; "none" removes every budget, "none/day" the day's. invalid_request says what is
// wrong with it and how it is written: no window, an unknown window, a sign, an exponent, more than nine decimals, more
// than 9 billion dollars.
Result<call::TermsChange::Budget> parse_budget(std::string_view text);

}  // namespace nemo::budget
