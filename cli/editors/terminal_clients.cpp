// Assistants of the terminal. Codex: config.toml of https://developers.openai.com/codex · Claude Code: settings.json ·
// Gemini CLI and Qwen Code: .env in their folder · opencode: https://opencode.ai/docs/config · aider:
// https://aider.chat/docs/config/aider_conf.html · Copilot CLI: variables only.
#include <nlohmann/json.hpp>

#include "cli/editors/client_families.h"

namespace nemo::cli::editors {
namespace {

using admin::Json;
namespace fs = std::filesystem;

// A client's own folder: what its variable says, else its usual place.
fs::path folder_of(const Places& places, const char* variable, std::string_view usual) {
  const auto given = places.environment()(variable);
  return given && fs::path(*given).is_absolute() ? fs::path(*given) : places.resolve(usual);
}

Plan plan_opencode(const Places& places, const Target& target) {
  FileEdit edit{places.find_or_first({"$config/opencode/opencode.jsonc", "$config/opencode/opencode.json"}),
                Format::jsonc};
  if (!places.find({"$config/opencode/opencode.jsonc"})) edit.file = places.resolve("$config/opencode/opencode.json");
  edit.starter = "{\n  \"$schema\": \"https://opencode.ai/config.json\"\n}\n";
  const Json provider{{"npm", "@ai-sdk/openai-compatible"},
                      {"name", "Nemo"},
                      {"options", {{"baseURL", target.openai_url()}, {"apiKey", target.key}}},
                      {"models", {{"nemo/auto", {{"name", "Nemo"}}}}}};
  edit.settings = {
      {{"provider", "nemo"}, provider}, {{"model"}, "nemo/nemo/auto"}, {{"small_model"}, "nemo/nemo/auto"}};
  edit.address = {"provider", "nemo"};
  edit.chosen = {"model"};
  return Plan{std::move(edit)};
}

FileEdit codex_file(const Places& places) {
  return {folder_of(places, "CODEX_HOME", "~/.codex") / "config.toml", Format::toml};
}

Plan plan_codex(const Places& places, const Target& target) {
  FileEdit edit = codex_file(places);
  const auto of_provider = [](const char* name) { return Path{"model_providers", "nemo", name}; };
  edit.settings = {{{"model"}, "nemo/auto"},
                   {{"model_provider"}, "nemo"},
                   {of_provider("name"), "Nemo"},
                   {of_provider("base_url"), target.openai_url()},
                   {of_provider("wire_api"), "responses"},
                   {of_provider("experimental_bearer_token"), target.key}};
  edit.address = of_provider("base_url");
  edit.chosen = {"model_provider"};
  Plan plan{std::move(edit)};
  plan.call = CallShape::responses;
  plan.steps = {"To keep Codex's own provider instead, use: nemo connect codex-openai"};
  return plan;
}

// The built-in provider sends whatever key Codex was signed in with, so ours is in the path.
Plan plan_codex_openai(const Places& places, const Target& target) {
  FileEdit edit = codex_file(places);
  edit.settings = {{{"model"}, "nemo/auto"}, {{"openai_base_url"}, target.keyed_url() + "/v1"}};
  edit.address = {"openai_base_url"};
  Plan plan{std::move(edit)};
  plan.call = CallShape::responses;
  plan.key_place = KeyPlace::in_path;
  plan.steps = {"What Codex is signed in with is sent too, and counts first. Sign it in with this key: echo " +
                target.key + " | codex login --with-api-key"};
  return plan;
}

Plan plan_claude(const Places& places, const Target& target) {
  FileEdit edit{folder_of(places, "CLAUDE_CONFIG_DIR", "~/.claude") / "settings.json", Format::jsonc};
  edit.settings = {{{"env", "ANTHROPIC_BASE_URL"}, target.url}, {{"env", "ANTHROPIC_AUTH_TOKEN"}, target.key}};
  if (!target.has_claude) {
    for (const char* name : {"ANTHROPIC_MODEL", "ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL",
                             "ANTHROPIC_DEFAULT_HAIKU_MODEL"}) {
      edit.settings.push_back({{"env", name}, "nemo/auto"});
    }
  }
  edit.address = {"env", "ANTHROPIC_BASE_URL"};
  Plan plan{std::move(edit)};
  plan.call = CallShape::messages;
  return plan;
}

Plan plan_gemini(const Places& places, const Target& target) {
  FileEdit edit{places.resolve("~/.gemini/.env"), Format::dotenv};
  edit.settings = {{{"GOOGLE_GEMINI_BASE_URL"}, target.url}, {{"GEMINI_API_KEY"}, target.key}};
  if (!target.has_gemini) edit.settings.push_back({{"GEMINI_MODEL"}, "nemo/auto"});
  edit.address = {"GOOGLE_GEMINI_BASE_URL"};
  Plan plan{std::move(edit)};
  plan.call = CallShape::gemini;
  plan.key_place = KeyPlace::x_goog_api_key;
  plan.steps = {"When Gemini CLI asks how to sign in, choose the Gemini API key."};
  return plan;
}

Plan plan_qwen(const Places& places, const Target& target) {
  FileEdit edit{places.resolve("~/.qwen/.env"), Format::dotenv};
  edit.settings = {
      {{"OPENAI_BASE_URL"}, target.openai_url()}, {{"OPENAI_API_KEY"}, target.key}, {{"OPENAI_MODEL"}, "nemo/auto"}};
  edit.address = {"OPENAI_BASE_URL"};
  Plan plan{std::move(edit)};
  plan.steps = {"When Qwen Code asks how to sign in, choose OpenAI."};
  return plan;
}

Plan plan_copilot_cli(const Places& /*places*/, const Target& target) {
  Plan plan;
  plan.snippet = "export COPILOT_PROVIDER_TYPE=openai\nexport COPILOT_PROVIDER_BASE_URL=" + target.openai_url() +
                 "\nexport COPILOT_PROVIDER_API_KEY=" + target.key + "\nexport COPILOT_MODEL=nemo/auto\n";
  plan.paste_into = "the shell's profile (~/.profile, ~/.bashrc, ~/.zshrc)";
  return plan;
}

Plan plan_aider(const Places& places, const Target& target) {
  FileEdit edit{places.resolve("~/.aider.conf.yml"), Format::yaml};
  edit.settings = {{{"openai-api-base"}, target.openai_url()},
                   {{"openai-api-key"}, target.key},
                   {{"model"}, "openai/nemo/auto"},
                   {{"weak-model"}, "openai/nemo/auto"}};
  edit.address = {"openai-api-base"};
  edit.chosen = {"model"};
  return Plan{std::move(edit)};
}

}  // namespace

std::vector<Client> terminal_clients() {
  return {
      {"opencode", "opencode", {"opencode"}, {"$config/opencode"}, plan_opencode},
      {"codex", "Codex", {"codex"}, {"~/.codex"}, plan_codex},
      {"codex-openai", "Codex (openai_base_url)", {"codex"}, {"~/.codex"}, plan_codex_openai},
      {"claude-code", "Claude Code", {"claude"}, {"~/.claude"}, plan_claude},
      {"gemini-cli", "Gemini CLI", {"gemini"}, {"~/.gemini"}, plan_gemini},
      {"qwen-code", "Qwen Code", {"qwen"}, {"~/.qwen"}, plan_qwen},
      {"copilot-cli",
       "Copilot CLI",
       {"copilot"},
       {"~/.copilot"},
       plan_copilot_cli,
       "COPILOT_PROVIDER_BASE_URL",
       {"~/.profile", "~/.bashrc", "~/.bash_profile", "~/.zshrc", "$config/fish/config.fish"},
       "COPILOT_PROVIDER_BASE_URL"},
      {"aider", "aider", {"aider"}, {"~/.aider.conf.yml", "~/.aider"}, plan_aider},
  };
}

}  // namespace nemo::cli::editors
