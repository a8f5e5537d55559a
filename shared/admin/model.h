// GET /models: the catalog merged with what upstreams list.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/admin/json.h"

namespace nemo::admin {

struct Model {
  std::string id;
  std::string publisher;
  std::int64_t context_window = 0;
  std::int64_t max_output_tokens = 0;      // 0: not stated
  std::optional<std::string> input_price;  // dollars per million tokens, as text
  std::optional<std::string> cached_input_price;
  std::optional<std::string> cache_write_price;  // none: as other input
  std::optional<std::string> output_price;
  std::optional<std::string> input_price_above_200k;
  std::optional<std::string> cached_input_price_above_200k;
  std::optional<std::string> cache_write_price_above_200k;
  std::optional<std::string> output_price_above_200k;
  std::vector<std::string> capabilities;
  std::vector<std::string> tags;
  std::string deprecated_since;
  std::vector<std::string> upstreams;  // that serve it, as far as is known
  std::vector<std::string> lanes;      // that it is the model of
  bool in_catalog = true;              // false: only an upstream names it
};

void to_json(Json& json, const Model& value);
void from_json(const Json& json, Model& value);

}  // namespace nemo::admin
