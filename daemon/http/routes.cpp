#include "daemon/http/routes.h"

#include <algorithm>
#include <array>

namespace nemo::http {
namespace {

using call::Surface;

struct Fixed {
  std::string_view path;
  Route route;
};

constexpr Route post(Surface surface) {
  return {Page::call, surface, {}, "POST", {}};
}
constexpr Route get(Page page, Surface surface = Surface::openai_chat) {
  return {page, surface, {}, "GET", {}};
}

// Without /v1. Calls of keystrokes first.
constexpr std::array<Fixed, 25> k_fixed{{
    {"/chat/completions", post(Surface::openai_chat)},
    {"/completions", post(Surface::openai_completions)},
    {"/fim/completions", post(Surface::mistral_fim)},
    {"/infill", post(Surface::llamacpp_infill)},
    {"/completion", post(Surface::llamacpp_completion)},
    {"/embeddings", post(Surface::openai_embeddings)},
    {"/responses", post(Surface::openai_responses)},
    {"/messages", post(Surface::anthropic_messages)},
    {"/messages/count_tokens", {Page::messages_count_tokens, Surface::anthropic_messages, {}, "POST", {}}},
    {"/models", get(Page::openai_models)},
    {"/", get(Page::root)},
    {"/health", get(Page::health)},
    {"/props", get(Page::llamacpp_props, Surface::llamacpp_infill)},
    {"/tokenize", {Page::llamacpp_tokenize, Surface::llamacpp_infill, {}, "POST", {}}},
    {"/api/chat", post(Surface::ollama_chat)},
    {"/api/generate", post(Surface::ollama_generate)},
    {"/api/embed", post(Surface::ollama_embed)},
    {"/api/embeddings", post(Surface::ollama_embed)},
    {"/api/version", get(Page::ollama_version, Surface::ollama_chat)},
    {"/api/tags", get(Page::ollama_tags, Surface::ollama_chat)},
    {"/api/ps", get(Page::ollama_ps, Surface::ollama_chat)},
    {"/api/show", {Page::ollama_show, Surface::ollama_chat, {}, "POST", {}}},
    {"/v1beta/models", get(Page::gemini_models, Surface::gemini)},
    {"/v1beta1/models", get(Page::gemini_models, Surface::gemini)},
    {"/beta/completions", post(Surface::openai_completions)},
}};

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "M:generateContent", "M" alone for its page.
std::optional<Route> find_gemini(std::string_view rest) {
  if (rest.empty()) return std::nullopt;
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) return Route{Page::gemini_model, Surface::gemini, rest, "GET", {}};
  const std::string_view model = rest.substr(0, colon);
  const std::string_view verb = rest.substr(colon + 1);
  if (verb == "generateContent") return Route{Page::call, Surface::gemini, model, "POST", false};
  if (verb == "streamGenerateContent") return Route{Page::call, Surface::gemini, model, "POST", true};
  if (verb == "countTokens") return Route{Page::gemini_count_tokens, Surface::gemini, model, "POST", {}};
  return std::nullopt;
}

// Where Gemini's clients look for models: the Gemini API, and Vertex AI without and with a project.
bool take_gemini_prefix(std::string_view& path) {
  for (const std::string_view prefix :
       {"/v1beta/models/", "/v1beta1/models/", "/v1beta1/publishers/google/models/", "/v1/publishers/google/models/"}) {
    if (take_prefix(path, prefix)) return true;
  }
  constexpr std::string_view k_place = "/publishers/google/models/";
  const auto at = path.find(k_place);
  if (at == std::string_view::npos) return false;
  if (!path.starts_with("/v1/projects/") && !path.starts_with("/v1beta1/projects/")) return false;
  path.remove_prefix(at + k_place.size());
  return true;
}

}  // namespace

std::optional<Route> find_route(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  std::string_view gemini = path;
  if (take_gemini_prefix(gemini)) return find_gemini(gemini);
  if (path.starts_with("/v1/")) path.remove_prefix(3);
  const auto found = std::find_if(k_fixed.begin(), k_fixed.end(), [&](const Fixed& one) { return one.path == path; });
  if (found != k_fixed.end()) return found->route;
  if (!take_prefix(path, "/models/")) return std::nullopt;
  const auto call = find_gemini(path);
  if (call && call->page != Page::gemini_model) return call;
  return Route{Page::openai_model, Surface::openai_chat, path, "GET", {}};
}

std::string_view take_key(std::string_view& path) {
  std::string_view rest = path;
  if (!take_prefix(rest, "/key/")) return {};
  const std::string_view key = rest.substr(0, rest.find('/'));
  path = rest.substr(key.size());
  return key;
}

call::Surface voice_of(std::string_view path) {
  if (path.starts_with("/v1beta")) return Surface::gemini;
  if (path.starts_with("/api/")) return Surface::ollama_chat;
  if (path.starts_with("/v1/messages")) return Surface::anthropic_messages;
  return Surface::openai_chat;
}

}  // namespace nemo::http
