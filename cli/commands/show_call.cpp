#include "cli/commands/show_call.h"

#include <array>
#include <utility>

namespace nemo::cli::commands {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> k_short_surfaces{
    {{"openai-chat", "chat"},
     {"openai-completions", "compl"},
     {"openai-responses", "responses"},
     {"openai-embeddings", "embed"},
     {"anthropic-messages", "messages"},
     {"ollama-chat", "ollama"},
     {"ollama-generate", "ollama-g"},
     {"mistral-fim", "fim"},
     {"llamacpp-infill", "infill"}}};

}  // namespace

std::string describe_status(const admin::Call& call) {
  const bool number_says_more = call.status == "error" || call.status == "refused";
  return number_says_more && call.http_status != 0 ? call.status + " " + std::to_string(call.http_status) : call.status;
}

output::Style style_of_status(std::string_view status) {
  if (status == "ok") return output::Style::good;
  if (status == "error") return output::Style::bad;
  return status == "refused" ? output::Style::warning : output::Style::faint;
}

std::string short_surface(const std::string& surface) {
  for (const auto& [name, short_name] : k_short_surfaces) {
    if (surface == name) return std::string(short_name);
  }
  return surface;
}

}  // namespace nemo::cli::commands
