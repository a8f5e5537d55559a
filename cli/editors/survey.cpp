#include "cli/editors/survey.h"

#include "cli/editors/settings_file.h"

namespace nemo::cli::editors {
namespace {

std::string find_evidence(const Places& places, const Client& client) {
  for (const std::string_view program : client.programs) {
    if (const auto found = places.find_program(program)) return found->string();
  }
  const auto trace = places.find(client.traces);
  return trace ? trace->string() : "";
}

void look_into(const FileEdit& edit, const std::string& daemon_url, Finding& finding) {
  finding.file = edit.file.string();
  finding.standing = Standing::nowhere;
  const auto file = load_settings(edit.file);
  if (!file) {
    finding.standing = Standing::unknown;
    finding.fault = file.error().message;
    return;
  }
  const auto standing = standing_of(file->text, edit, daemon_url);
  finding.standing = standing ? *standing : Standing::unknown;
  if (!standing) finding.fault = edit.file.string() + ": " + standing.error().message;
}

}  // namespace

std::vector<Finding> survey(const Places& places, const std::string& daemon_url) {
  std::vector<Finding> findings;
  const Target target{daemon_url, std::string(k_key_to_come)};
  for (const Client& client : all_clients()) {
    Finding finding{&client, find_evidence(places, client)};
    const Plan plan = client.plan(places, target);
    if (plan.edit) {
      look_into(*plan.edit, daemon_url, finding);
    } else {
      finding.standing = standing_by_sources(client, places, daemon_url);
    }
    auto connection = load_connection(places.environment(), client.name);
    if (connection) {
      finding.connection = std::move(connection).value();
    } else {
      finding.fault = connection.error().message;
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace nemo::cli::editors
