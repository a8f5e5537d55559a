// How a model that only a server knows is told of a hole, as far as its name tells.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/call/fim_form.h"

namespace nemo::catalog {

// "Qwen/Qwen2.5-Coder-7B" and "codellama-13b.Q4_K_M.gguf" tell their family. "qwen2.5-coder:7b" is an Ollama name: that
// server knows its models' marks and takes a suffix. nullopt: the name tells nothing.
std::optional<call::FimForm> guess_fim(std::string_view name);

}  // namespace nemo::catalog
