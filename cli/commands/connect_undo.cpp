// `nemo connect NAME --undo`: the file as it was, and the key of no use any more.
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/connect_steps.h"
#include "cli/context.h"
#include "cli/editors/connection.h"
#include "cli/editors/settings_file.h"
#include "cli/output/text.h"

namespace nemo::cli::commands {
namespace {

using editors::Connection;
using editors::SettingsFile;

// What was done to the file, for people.
struct Undone {
  std::string how;  // "restored", "removed", "taken out", "gone", "none"
  std::string text;
};

Result<Undone> restore_whole(const Connection& connection, const SettingsFile& file) {
  if (connection.created) {
    if (const auto removed = editors::remove(file); !removed) return removed.error();
    return Undone{"removed", file.path.string() + " was made by Nemo and is gone again."};
  }
  const auto backup = editors::load_settings(connection.backup);
  if (!backup) return backup.error();
  if (const auto replaced = editors::replace(file, backup->text); !replaced) return replaced.error();
  if (const auto removed = editors::remove(*backup); !removed) return removed.error();
  return Undone{"restored", file.path.string() + " is as it was before, byte for byte."};
}

Result<Undone> take_out(const Connection& connection, const SettingsFile& file, editors::Format format) {
  const auto left = editors::take_settings_out(file.text, format, connection.settings);
  if (!left) {
    Error error = left.error();
    error.message = file.path.string() + ": " + error.message + "; mend it first, nothing was changed";
    return error;
  }
  if (const auto replaced = editors::replace(file, *left); !replaced) return replaced.error();
  std::string text = file.path.string() + " was changed since, so only what Nemo wrote was taken out.";
  if (!connection.backup.empty()) text += " How it was before: " + connection.backup;
  return Undone{"taken out", text};
}

Result<Undone> undo_file(const Connection& connection, const editors::Plan& plan) {
  if (connection.file.empty() || !plan.edit) return Undone{"none", ""};
  const auto file = editors::load_settings(connection.file);
  if (!file) return file.error();
  if (!file->exists) return Undone{"gone", connection.file + " is not there any more."};
  if (const auto writable = editors::check_writable(*file); !writable) return writable.error();
  const bool is_ours = connection.is_whole && editors::mark_of(file->text) == connection.text_mark;
  const bool has_backup = !connection.backup.empty() && ::access(connection.backup.c_str(), R_OK) == 0;
  if (is_ours && (connection.created || has_backup)) return restore_whole(connection, *file);
  return take_out(connection, *file, plan.edit->format);
}

// What is left to do once the daemon runs again.
int keep_key_for_later(const Context& context, Connection connection) {
  connection.file.clear();
  connection.backup.clear();
  connection.settings.clear();
  if (const auto saved = editors::save_connection(context.env, connection); !saved)
    return context.refuse(saved.error());
  context.err << "nemo: the daemon is not running, so the key " << connection.key_id
              << " still works; once it runs: nemo connect " << connection.client << " --undo\n";
  return k_not_running;
}

}  // namespace

int undo_connection(const Context& context, const editors::Client& client) {
  const auto known = editors::load_connection(context.env, client.name);
  if (!known) return context.refuse(known.error());
  if (!*known) {
    return context.refuse(fail(ErrorKind::not_found, "nemo connect has written nothing for " +
                                                         std::string(client.title) + ", so there is nothing to undo"));
  }
  const Connection& connection = **known;
  const editors::Plan plan = client.plan(editors::Places(context.env), {});
  const auto undone = undo_file(connection, plan);
  if (!undone) return context.refuse(undone.error());
  if (!context.json && !undone->text.empty()) context.out << output::printable(undone->text) << '\n';
  const AdminClient daemon = context.client();
  if (!daemon.answers()) return keep_key_for_later(context, connection);
  const auto revoked = daemon.revoke_key(connection.key_id);
  const bool is_gone = !revoked && revoked.error().kind == ErrorKind::not_found;
  if (!revoked && !is_gone) return context.refuse(revoked.error());
  if (const auto forgotten = editors::forget_connection(context.env, client.name); !forgotten) {
    return context.refuse(forgotten.error());
  }
  if (context.json) {
    return context.show({{"client", client.name},
                         {"file", connection.file},
                         {"outcome", undone->how},
                         {"key_id", connection.key_id},
                         {"revoked", revoked.ok()}});
  }
  context.out << "The key " << connection.key_id << " (" << connection.key_hint << ") opens nothing any more.\n";
  if (!plan.edit) context.out << "What you pasted is yours to remove.\n";
  return k_done;
}

}  // namespace nemo::cli::commands
