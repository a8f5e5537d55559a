#include "cli/service/service_plan.h"

#include <string_view>

#include "cli/program.h"

namespace nemo::cli::service {
namespace {

namespace fs = std::filesystem;

// What a service sees: its user's home, and nothing that a shell has set.
Environment bare(const Environment& env) {
  return [&env](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) == "HOME") return env(name);
    return std::nullopt;
  };
}

fs::path whole(const fs::path& path) {
  return fs::absolute(path).lexically_normal();
}

}  // namespace

Result<ServicePlan> make_plan(const Environment& env, const Wishes& wishes) {
  ServicePlan plan;
  const auto nemod = find_nemod(env);
  if (!nemod) {
    return fail(ErrorKind::not_found, "nemod is neither beside nemo nor in PATH: install both into one folder");
  }
  std::error_code ignored;
  plan.nemod = fs::weakly_canonical(*nemod, ignored);
  if (plan.nemod.empty()) plan.nemod = whole(*nemod);

  const Environment seen = bare(env);
  const fs::path config = wishes.config.empty() ? config_file(env) : fs::path(wishes.config);
  if (!wishes.config.empty() || config != config_file(seen)) {
    plan.config = whole(config);
    if (!fs::exists(*plan.config, ignored)) {
      return fail(ErrorKind::not_found, "there is no file " + plan.config->string() +
                                            ": write it first (an empty one has all defaults), or name another with "
                                            "--config");
    }
  }
  const fs::path data = data_folder(env);
  if (data != data_folder(seen)) plan.environment.emplace_back("NEMO_DATA_DIR", whole(data).string());
  const std::string socket = wishes.socket.empty() ? env("NEMO_SOCKET").value_or("") : wishes.socket;
  if (!socket.empty()) plan.environment.emplace_back("NEMO_SOCKET", whole(socket).string());
  plan.log_file = fs::path(env("HOME").value_or("/")) / "Library" / "Logs" / "nemo" / "nemod.log";
  return plan;
}

std::vector<std::string> unseen_credentials(const Environment& env) {
  std::vector<std::string> names;
  for (const char* name : {"NEMOROUTER_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"}) {
    if (const auto value = env(name); value && !value->empty()) names.emplace_back(name);
  }
  return names;
}

}  // namespace nemo::cli::service
