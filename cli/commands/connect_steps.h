// What `nemo connect` does once its arguments are read.
#pragma once

#include <string>

#include "cli/admin_client.h"
#include "cli/editors/client.h"
#include "cli/editors/settings_edit.h"
#include "shared/admin/key.h"
#include "shared/admin/model.h"

namespace nemo::cli {

struct Context;

namespace commands {

struct ConnectOptions {
  std::string client;
  std::string seat;
  bool write = false;
  bool undo = false;
  bool no_check = false;
  bool all = false;
};

int list_clients(const Context& context, const ConnectOptions& options);
int preview_connection(const Context& context, const editors::Client& client);
int write_connection(const Context& context, const editors::Client& client, const ConnectOptions& options);
int undo_connection(const Context& context, const editors::Client& client);

// The daemon's address and models, with a key still to come. Throws DaemonNotRunning.
Result<editors::Target> find_target(const AdminClient& daemon, const std::vector<admin::Model>& models);
// The key that is written there, if it is one of the daemon's that works. `known_id`: the one that it should be.
const admin::Key* find_working_key(const std::vector<admin::Key>& keys, const std::string& written,
                                   const std::string& known_id);
// The cheapest model that an upstream serves and that has a price; "nemo/auto" when there is none.
std::string cheapest_model(const std::vector<admin::Model>& models);

// As it may be shown: Nemo's keys by their last four characters, control characters replaced, lines and tabs kept.
// Other secrets too where the text is a person's own file.
enum class Others { redacted, shown };
std::string masked(std::string_view text, Others others = Others::redacted);
void show_diff(const Context& context, const std::string& diff);
enum class Secrets { masked, shown };
void show_plan(const Context& context, const editors::Plan& plan, Secrets secrets);
admin::Json plan_to_json(const editors::Client& client, const editors::Plan& plan, Secrets secrets);

}  // namespace commands
}  // namespace nemo::cli
