// gptel (Emacs) and programs that use an OpenAI SDK.
#include "cli/editors/client_families.h"

namespace nemo::cli::editors {
namespace {

Plan plan_gptel(const Places& /*places*/, const Target& target) {
  const std::size_t scheme = target.url.find("://");
  const std::string host = scheme == std::string::npos ? target.url : target.url.substr(scheme + 3);
  Plan plan;
  plan.snippet =
      "(setq gptel-model 'nemo/auto\n"
      "      gptel-backend (gptel-make-openai \"Nemo\"\n"
      "                      :protocol \"http\"\n"
      "                      :host \"" +
      host +
      "\"\n"
      "                      :endpoint \"/v1/chat/completions\"\n"
      "                      :stream t\n"
      "                      :key \"" +
      target.key +
      "\"\n"
      "                      :models '(nemo/auto)))\n";
  plan.paste_into = "Emacs' init file";
  return plan;
}

Plan plan_openai_sdk(const Places& /*places*/, const Target& target) {
  Plan plan;
  plan.snippet = "export OPENAI_BASE_URL=" + target.openai_url() + "\nexport OPENAI_API_KEY=" + target.key + "\n";
  plan.paste_into = "a shell, or the shell's profile; the model is nemo/auto or one of: nemo models";
  return plan;
}

}  // namespace

std::vector<Client> other_clients() {
  return {
      {"gptel",
       "gptel",
       {},
       {"~/.emacs.d/elpa/gptel-*", "$config/emacs/elpa/gptel-*", "~/.emacs.d/straight/build/gptel",
        "$config/emacs/.local/straight/build-*/gptel"},
       plan_gptel,
       "",
       {"~/.emacs", "~/.emacs.d/init.el", "$config/emacs/init.el", "$config/doom", "~/.doom.d"},
       "gptel"},
      {"openai-sdk",
       "OpenAI SDK",
       {},
       {},
       plan_openai_sdk,
       "OPENAI_BASE_URL",
       {"~/.profile", "~/.bashrc", "~/.bash_profile", "~/.zshrc", "$config/fish/config.fish"},
       "OPENAI_BASE_URL"},
  };
}

}  // namespace nemo::cli::editors
