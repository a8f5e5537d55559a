// How a call's cost comes about, recomputed from the catalog's prices.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/admin/call.h"
#include "shared/admin/model.h"
#include "shared/money.h"

namespace nemo::cli::commands {

struct PriceLine {
  std::string what;  // "input", "cached input", "written to cache", "output"
  std::int64_t tokens = 0;
  std::string price;  // dollars per million, as the catalog says
};

struct PriceSum {
  std::vector<PriceLine> lines;
  NanoUsd total;            // rounded up once, as the daemon does
  bool long_input = false;  // the prices above 200,000 tokens of input were taken
};

// Nothing: the model has no price. Exact integers; prices may have changed since the call.
std::optional<PriceSum> sum_prices(const admin::Model& model, const admin::Call& call);

}  // namespace nemo::cli::commands
