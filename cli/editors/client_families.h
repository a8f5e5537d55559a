// The families of clients; each lists its own.
#pragma once

#include <vector>

#include "cli/editors/client.h"

namespace nemo::cli::editors {

std::vector<Client> desktop_clients();   // Continue, Zed, JetBrains AI
std::vector<Client> vscode_clients();    // Copilot, Cline, Roo, llama.vscode
std::vector<Client> terminal_clients();  // opencode, Codex, Claude Code, Gemini CLI, Qwen Code, Copilot CLI, aider
std::vector<Client> vim_clients();       // avante, minuet, codecompanion, llama.vim
std::vector<Client> other_clients();     // gptel, the OpenAI SDKs

}  // namespace nemo::cli::editors
