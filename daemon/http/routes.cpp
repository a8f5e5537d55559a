#include "daemon/http/routes.h"

namespace nemo::http {

std::optional<Route> find_route(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/") return Route{Page::root, {}, {}, "GET"};
  if (path == "/health" || path == "/v1/health") return Route{Page::health, {}, {}, "GET"};
  if (path.starts_with("/v1/")) path.remove_prefix(3);
  if (path == "/chat/completions") return Route{Page::call, call::Surface::openai_chat, {}, "POST"};
  if (path == "/completions") return Route{Page::call, call::Surface::openai_completions, {}, "POST"};
  if (path == "/embeddings") return Route{Page::call, call::Surface::openai_embeddings, {}, "POST"};
  if (path == "/models") return Route{Page::model_list, {}, {}, "GET"};
  constexpr std::string_view k_models = "/models/";
  if (path.starts_with(k_models)) return Route{Page::model, {}, path.substr(k_models.size()), "GET"};
  return std::nullopt;
}

}  // namespace nemo::http
