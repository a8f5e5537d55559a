// What a page is made from, and the pages, one .cpp for each client API.
#pragma once

#include <string>
#include <vector>

#include "daemon/call/principal.h"
#include "daemon/catalog/model.h"
#include "daemon/gateway/answer.h"
#include "daemon/gateway/live.h"
#include "shared/result.h"

namespace nemo::gateway {

struct PageView {
  const Snapshot& world;
  const call::Principal& principal;
  const std::string& rest;
  const std::string& body;
  WallTime now;
};

// A name that the caller may use for a model now, and the model that it stands for. Null: it is routed call by call
// (nemo/auto).
struct NamedModel {
  std::string name;
  const catalog::Model* model = nullptr;
  bool is_alias = false;
};
// What some upstream serves, the lanes, and the aliases, as far as the key may use them.
std::vector<NamedModel> named_models(const Snapshot& world, const call::Principal& principal);
// model_not_found, with the nearest ids.
Result<NamedModel> find_named_model(const PageView& view, const std::string& name);

// Each appears in an Error's place in its surface's shape when it fails.
Result<Answer> openai_models_page(const PageView& view);
Result<Answer> openai_model_page(const PageView& view);
Result<Answer> messages_count_page(const PageView& view);  // anthropic_count.cpp
Result<Answer> gemini_models_page(const PageView& view);   // gemini_pages.cpp
Result<Answer> gemini_model_page(const PageView& view);
Result<Answer> gemini_count_page(const PageView& view);
Result<Answer> ollama_version_page(const PageView& view);  // ollama_pages.cpp
Result<Answer> ollama_tags_page(const PageView& view);
Result<Answer> ollama_show_page(const PageView& view);
Result<Answer> ollama_ps_page(const PageView& view);
Result<Answer> llamacpp_props_page(const PageView& view);  // llamacpp_pages.cpp
Result<Answer> llamacpp_tokenize_page(const PageView& view);

Answer json_page(std::string body);

}  // namespace nemo::gateway
