#include "daemon/catalog/catalog.h"

#include <algorithm>
#include <utility>

#include "shared/resemblance.h"

namespace nemo::catalog {
namespace {

Capabilities capabilities_from(const std::vector<std::string>& names) {
  const auto has = [&names](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  Capabilities out;
  out.chat = has("chat");
  out.tools = has("tools");
  out.vision = has("vision");
  out.fim = has("fim");
  out.reasoning = has("reasoning");
  out.embeddings = has("embeddings");
  return out;
}

Model named_by_config(const std::string& id) {
  Model model;
  model.id = id;
  model.publisher = "config";
  model.capabilities.chat = true;  // what nearly every model does; capabilities = […] replaces it
  return model;
}

void apply(const ModelOverride& given, Model& model) {
  if (given.publisher) model.publisher = *given.publisher;
  if (given.context_window) model.context_window = *given.context_window;
  if (given.max_output_tokens) model.max_output_tokens = given.max_output_tokens;
  if (given.price) {
    if (!model.pricing) model.pricing.emplace();
    model.pricing->base = *given.price;
  }
  // A tier alone is not a price: the config refuses it, and here the model stays unpriced.
  if (given.price_above_200k && model.pricing) model.pricing->above_200k = given.price_above_200k;
  if (given.tags) model.tags = *given.tags;
  if (given.capabilities) model.capabilities = capabilities_from(*given.capabilities);
  if (given.fim) model.fim = given.fim;
}

// Where `id` is, or would have to be put.
std::size_t position_of(const std::vector<Model>& models, std::string_view id) {
  const auto at = std::lower_bound(models.begin(), models.end(), id,
                                   [](const Model& model, std::string_view wanted) { return model.id < wanted; });
  return static_cast<std::size_t>(at - models.begin());
}

}  // namespace

Catalog::Catalog(const std::map<std::string, ModelOverride>& overrides) : m_models(builtin_models()) {
  std::sort(m_models.begin(), m_models.end(), [](const Model& a, const Model& b) { return a.id < b.id; });
  for (const auto& [id, given] : overrides) {
    const std::size_t at = position_of(m_models, id);
    if (at == m_models.size() || m_models[at].id != id) {
      m_models.insert(m_models.begin() + static_cast<std::ptrdiff_t>(at), named_by_config(id));
    }
    apply(given, m_models[at]);
  }
}

const Model* Catalog::find(std::string_view id) const {
  const std::size_t at = position_of(m_models, id);
  return at < m_models.size() && m_models[at].id == id ? &m_models[at] : nullptr;
}

std::vector<std::string> Catalog::nearest(std::string_view id, std::size_t limit) const {
  constexpr int k_deprecated_cost = 150;
  std::vector<std::pair<int, const Model*>> scored;
  for (const Model& model : m_models) {
    const int score = resemblance(id, model.id);
    if (score == 0) continue;
    scored.emplace_back(model.deprecated_since.empty() ? score : score - k_deprecated_cost, &model);
  }
  // Stable: equals stay in the order of their ids.
  std::stable_sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> ids;
  for (const auto& [score, model] : scored) {
    if (ids.size() == limit) break;
    ids.push_back(model->id);
  }
  return ids;
}

}  // namespace nemo::catalog
