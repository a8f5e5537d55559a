#include "daemon/gateway/pages/pages.h"

#include "daemon/gateway/gateway.h"
#include "daemon/gateway/identify.h"
#include "daemon/gateway/pages/page_view.h"
#include "shared/version.h"

namespace nemo::gateway {
namespace {

Result<Answer> show(Page page, const PageView& view) {
  switch (page) {
    case Page::call:
    case Page::root:
    case Page::health:
      break;
    case Page::openai_models:
      return openai_models_page(view);
    case Page::openai_model:
      return openai_model_page(view);
    case Page::messages_count_tokens:
      return messages_count_page(view);
    case Page::gemini_models:
      return gemini_models_page(view);
    case Page::gemini_model:
      return gemini_model_page(view);
    case Page::gemini_count_tokens:
      return gemini_count_page(view);
    case Page::ollama_version:
      return ollama_version_page(view);
    case Page::ollama_tags:
      return ollama_tags_page(view);
    case Page::ollama_show:
      return ollama_show_page(view);
    case Page::ollama_ps:
      return ollama_ps_page(view);
    case Page::llamacpp_props:
      return llamacpp_props_page(view);
    case Page::llamacpp_tokenize:
      return llamacpp_tokenize_page(view);
  }
  return fail(ErrorKind::path_not_found, "There is no such page.");
}

}  // namespace

Answer json_page(std::string body) {
  Answer answer;
  answer.body = std::move(body);
  return answer;
}

Answer Pages::answer(const PageRequest& request) const {
  if (request.page == Page::health) return json_page(R"({"status":"ok"})");
  if (request.page == Page::root) {
    // Ollama's clients look for these words.
    Answer answer = json_page("Ollama is running (nemod " + std::string(version()) + "). The API begins at /v1.\n");
    answer.content_type = "text/plain";
    return answer;
  }
  const auto world = m_live.get();
  const WallTime now = m_clock.wall();
  const auto principal = identify(*world, m_keys, request.key, now);
  if (!principal) return error_answer(principal.error(), request.surface);
  auto answer = show(request.page, {*world, **principal, request.rest, request.body, now});
  if (!answer) return error_answer(answer.error(), request.surface);
  return std::move(*answer);
}

}  // namespace nemo::gateway
