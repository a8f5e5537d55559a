// Owns: the models that callers may name, built in and from the config, and the nearest ids to a misspelt one.
// Must not know: upstreams, keys, how a model is reached.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/catalog/model.h"

namespace nemo::catalog {

// [model."…"] of the config: what is given replaces the built-in value, what is not stays.
struct ModelOverride {
  std::optional<std::string> publisher;  // whose dialect Vertex AI speaks for it
  std::optional<std::int64_t> context_window;
  std::optional<std::int64_t> max_output_tokens;
  std::optional<Price> price;
  std::optional<Price> price_above_200k;
  std::optional<std::vector<std::string>> tags;
  std::optional<std::vector<std::string>> capabilities;  // "chat", "fim", "tools", "vision", "reasoning", "embeddings"
  std::optional<call::FimForm> fim;
};

// The models of catalog.json that ship with the program, in its order.
const std::vector<Model>& builtin_models();

// Immutable once built; a reload builds another.
class Catalog {
 public:
  explicit Catalog(const std::map<std::string, ModelOverride>& overrides = {});

  const Model* find(std::string_view id) const;  // null: unknown
  const std::vector<Model>& models() const { return m_models; }
  // At most `limit` known ids that resemble `id`, best first.
  std::vector<std::string> nearest(std::string_view id, std::size_t limit = 3) const;

 private:
  std::vector<Model> m_models;  // sorted by id
};

}  // namespace nemo::catalog
