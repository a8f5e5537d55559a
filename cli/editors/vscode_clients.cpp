// Extensions of VS Code and its relatives. Copilot's own setting is read by its chat extension; llama.vscode's by
// https://github.com/ggml-org/llama.vscode. Cline and Roo keep theirs in the editor's private storage.
#include <nlohmann/json.hpp>

#include "cli/editors/client_families.h"

namespace nemo::cli::editors {
namespace {

std::filesystem::path settings_file(const Places& places) {
  return places.find_or_first({"$code/Code/User/settings.json", "$code/Code - Insiders/User/settings.json",
                               "$code/VSCodium/User/settings.json", "$code/Cursor/User/settings.json"});
}

Plan plan_copilot(const Places& places, const Target& target) {
  FileEdit edit{settings_file(places), Format::jsonc};
  edit.address = {"github.copilot.chat.byok.ollamaEndpoint"};
  edit.settings = {{edit.address, target.keyed_url()}};
  Plan plan{std::move(edit)};
  plan.call = CallShape::chat;
  plan.key_place = KeyPlace::in_path;
  plan.steps = {
      "In Copilot Chat open the model menu, Manage Models, Ollama, and tick the models you want.",
      "Newer versions keep the address in the Language Models editor: add an Ollama group there with the same "
      "URL."};
  return plan;
}

Plan plan_llama_vscode(const Places& places, const Target& target) {
  FileEdit edit{settings_file(places), Format::jsonc};
  edit.settings = {{{"llama-vscode.endpoint"}, target.url},       {{"llama-vscode.endpoint_chat"}, target.url},
                   {{"llama-vscode.endpoint_tools"}, target.url}, {{"llama-vscode.api_key"}, target.key},
                   {{"llama-vscode.api_key_chat"}, target.key},   {{"llama-vscode.api_key_tools"}, target.key},
                   {{"llama-vscode.ai_model"}, "nemo/auto"}};
  edit.address = {"llama-vscode.endpoint"};
  Plan plan{std::move(edit)};
  plan.call = CallShape::infill;
  return plan;
}

std::vector<std::string> openai_compatible_steps(const std::string& open, const Target& target) {
  return {open, "API Provider: OpenAI Compatible", "Base URL: " + target.openai_url(), "API key: " + target.key,
          "Model: nemo/auto"};
}

Plan plan_cline(const Places& /*places*/, const Target& target) {
  Plan plan;
  plan.steps = openai_compatible_steps("Open Cline's panel and its settings (the wheel).", target);
  plan.snippet = "cline auth --provider openai --apikey " + target.key + " --baseurl " + target.openai_url() +
                 " --modelid nemo/auto\n";
  plan.paste_into = "a shell, for Cline's command line";
  return plan;
}

Plan plan_roo(const Places& /*places*/, const Target& target) {
  Plan plan;
  plan.steps = openai_compatible_steps("Open Roo Code's panel, Settings, Providers.", target);
  return plan;
}

}  // namespace

std::vector<Client> vscode_clients() {
  return {
      {"copilot",
       "VS Code Copilot",
       {},
       {"~/.vscode/extensions/github.copilot*", "~/.vscode-insiders/extensions/github.copilot*", "$code/Code/User",
        "$code/Code - Insiders/User"},
       plan_copilot},
      {"cline",
       "Cline",
       {"cline"},
       {"~/.vscode/extensions/saoudrizwan.claude-dev*", "~/.cursor/extensions/saoudrizwan.claude-dev*", "~/.cline"},
       plan_cline},
      {"roo",
       "Roo Code",
       {},
       {"~/.vscode/extensions/rooveterinaryinc.roo-cline*", "~/.cursor/extensions/rooveterinaryinc.roo-cline*"},
       plan_roo},
      {"llama-vscode",
       "llama.vscode",
       {},
       {"~/.vscode/extensions/ggml-org.llama-vscode*", "~/.vscode-oss/extensions/ggml-org.llama-vscode*"},
       plan_llama_vscode},
  };
}

}  // namespace nemo::cli::editors
