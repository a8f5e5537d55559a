// Plugins of Neovim and Vim. Their settings are programs, so lines are printed to be pasted.
#include "cli/editors/client_families.h"

namespace nemo::cli::editors {
namespace {

std::string key_line(const Target& target) {
  return "vim.env.NEMO_API_KEY = \"" + target.key + "\"\n";
}

Plan plan_avante(const Places& /*places*/, const Target& target) {
  Plan plan;
  plan.snippet = key_line(target) +
                 "require(\"avante\").setup({\n"
                 "  provider = \"nemo\",\n"
                 "  providers = {\n"
                 "    nemo = {\n"
                 "      __inherited_from = \"openai\",\n"
                 "      endpoint = \"" +
                 target.openai_url() +
                 "\",\n"
                 "      api_key_name = \"NEMO_API_KEY\",\n"
                 "      model = \"nemo/auto\",\n"
                 "    },\n"
                 "  },\n"
                 "})\n";
  plan.paste_into = "Neovim's configuration, where avante is set up";
  return plan;
}

// One completion of three: it would send the same request three times at once.
Plan plan_minuet(const Places& /*places*/, const Target& target) {
  Plan plan;
  plan.snippet = key_line(target) +
                 "require(\"minuet\").setup({\n"
                 "  provider = \"openai_fim_compatible\",\n"
                 "  n_completions = 1,\n"
                 "  provider_options = {\n"
                 "    openai_fim_compatible = {\n"
                 "      name = \"Nemo\",\n"
                 "      end_point = \"" +
                 target.openai_url() +
                 "/completions\",\n"
                 "      api_key = \"NEMO_API_KEY\",\n"
                 "      model = \"nemo/completion\",\n"
                 "      optional = { max_tokens = 128 },\n"
                 "    },\n"
                 "  },\n"
                 "})\n";
  plan.paste_into = "Neovim's configuration, where minuet is set up";
  plan.call = CallShape::completions;
  return plan;
}

Plan plan_codecompanion(const Places& /*places*/, const Target& target) {
  Plan plan;
  plan.snippet = key_line(target) +
                 "require(\"codecompanion\").setup({\n"
                 "  adapters = {\n"
                 "    http = {\n"
                 "      nemo = function()\n"
                 "        return require(\"codecompanion.adapters\").extend(\"openai_compatible\", {\n"
                 "          env = { url = \"" +
                 target.url +
                 "\", api_key = \"NEMO_API_KEY\" },\n"
                 "          schema = { model = { default = \"nemo/auto\" } },\n"
                 "        })\n"
                 "      end,\n"
                 "    },\n"
                 "  },\n"
                 "  strategies = { chat = { adapter = \"nemo\" }, inline = { adapter = \"nemo\" } },\n"
                 "})\n";
  plan.paste_into = "Neovim's configuration, where codecompanion is set up";
  return plan;
}

Plan plan_llama_vim(const Places& /*places*/, const Target& target) {
  Plan plan;
  plan.snippet =
      "let g:llama_config = {\n"
      "    \\ 'endpoint_fim': '" +
      target.url +
      "/infill',\n"
      "    \\ 'endpoint_inst': '" +
      target.openai_url() +
      "/chat/completions',\n"
      "    \\ 'model_inst': 'nemo/auto',\n"
      "    \\ 'api_key': '" +
      target.key + "',\n    \\ }\n";
  plan.paste_into = "~/.vimrc or init.vim, before llama.vim is loaded (older versions call the first one 'endpoint')";
  plan.call = CallShape::infill;
  return plan;
}

constexpr std::string_view k_nvim = "$config/nvim";

}  // namespace

std::vector<Client> vim_clients() {
  return {
      {"avante",
       "avante.nvim",
       {},
       {"$data/nvim/lazy/avante.nvim", "$data/nvim/site/pack/*/start/avante.nvim", "~/.vim/plugged/avante.nvim"},
       plan_avante,
       "",
       {k_nvim},
       "avante"},
      {"minuet",
       "minuet-ai.nvim",
       {},
       {"$data/nvim/lazy/minuet-ai.nvim", "$data/nvim/site/pack/*/start/minuet-ai.nvim"},
       plan_minuet,
       "",
       {k_nvim},
       "minuet"},
      {"codecompanion",
       "codecompanion.nvim",
       {},
       {"$data/nvim/lazy/codecompanion.nvim", "$data/nvim/site/pack/*/start/codecompanion.nvim"},
       plan_codecompanion,
       "",
       {k_nvim},
       "codecompanion"},
      {"llama-vim",
       "llama.vim",
       {},
       {"~/.vim/plugged/llama.vim", "~/.vim/bundle/llama.vim", "~/.vim/pack/*/start/llama.vim",
        "$data/nvim/lazy/llama.vim", "$data/nvim/site/pack/*/start/llama.vim"},
       plan_llama_vim,
       "",
       {"~/.vimrc", "~/.vim/vimrc", k_nvim},
       "llama_config"},
  };
}

}  // namespace nemo::cli::editors
