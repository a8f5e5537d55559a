// Continue: https://docs.continue.dev/reference · Zed: https://zed.dev/docs/ai/use-api-access and
// https://zed.dev/docs/ai/edit-prediction · JetBrains AI: https://www.jetbrains.com/help/ai-assistant
#include <nlohmann/json.hpp>

#include "cli/editors/client_families.h"

namespace nemo::cli::editors {
namespace {

using admin::Json;

// Its provider "mistral" sends prefix and suffix as they are, so that no model's sentinels stand in between.
Plan plan_continue(const Places& places, const Target& target) {
  FileEdit edit{places.resolve("~/.continue/config.yaml"), Format::yaml};
  edit.starter = "name: Local Config\nversion: 1.0.0\nschema: v1\n";
  const auto model = [&target](const char* provider, const char* id, Json roles) {
    return Json{{"provider", provider},
                {"model", id},
                {"apiBase", target.openai_url()},
                {"apiKey", target.key},
                {"roles", std::move(roles)}};
  };
  edit.settings = {{{"models", "Nemo"}, model("openai", "nemo/auto", {"chat", "edit", "apply"})},
                   {{"models", "Nemo completion"}, model("mistral", "nemo/completion", Json::array({"autocomplete"}))}};
  edit.address = {"models", "Nemo"};
  Plan plan{std::move(edit)};
  plan.steps = {"Choose Nemo as the chat model and Nemo completion for autocomplete in Continue's model menu."};
  return plan;
}

// Zed keeps keys out of its settings, so the key is in the path; a provider without a key in its store it does not use.
Plan plan_zed(const Places& places, const Target& target) {
  FileEdit edit{places.resolve("$config/zed/settings.json"), Format::jsonc};
  constexpr int k_context_window = 200'000;
  const Json auto_model{
      {"name", "nemo/auto"},
      {"display_name", "Nemo"},
      {"max_tokens", k_context_window},
      {"capabilities",
       {{"tools", true}, {"images", true}, {"parallel_tool_calls", true}, {"prompt_cache_key", false}}}};
  const std::string base = target.keyed_url() + "/v1";
  const Json completion{{"api_url", base + "/completions"},
                        {"model", "nemo/completion"},
                        {"prompt_format", "qwen"},
                        {"max_output_tokens", 64}};
  edit.settings = {{{"language_models", "openai_compatible", "Nemo"},
                    Json{{"api_url", base}, {"available_models", Json::array({auto_model})}}},
                   {{"edit_predictions", "provider"}, "open_ai_compatible_api"},
                   {{"edit_predictions", "open_ai_compatible_api"}, completion}};
  edit.address = {"language_models", "openai_compatible", "Nemo"};
  Plan plan{std::move(edit)};
  plan.key_place = KeyPlace::in_path;
  plan.steps = {"Zed wants a key in its own store too: open Agent settings, LLM Providers, Nemo, and enter " +
                target.key};
  return plan;
}

Plan plan_jetbrains(const Places& /*places*/, const Target& target) {
  Plan plan;
  plan.steps = {"Open Settings, Tools, AI Assistant, Models.",
                "Under third-party providers choose OpenAI API compatible.",
                "URL: " + target.openai_url(),
                "API key: " + target.key,
                "Press Test Connection, then choose nemo/auto for chat and nemo/completion for code completion.",
                "Without that provider in your version: choose Ollama with the URL " + target.keyed_url()};
  return plan;
}

}  // namespace

std::vector<Client> desktop_clients() {
  return {
      {"continue", "Continue", {"cn"}, {"~/.continue"}, plan_continue},
      {"zed", "Zed", {"zed", "zeditor", "zedit"}, {"$config/zed"}, plan_zed},
      {"jetbrains",
       "JetBrains AI",
       {"idea", "pycharm", "goland", "clion", "webstorm", "rustrover", "phpstorm"},
       {"$config/JetBrains", "~/Library/Application Support/JetBrains"},
       plan_jetbrains},
  };
}

}  // namespace nemo::cli::editors
