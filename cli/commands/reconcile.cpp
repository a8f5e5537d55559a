#include "cli/commands/reconcile.h"

#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "cli/context.h"
#include "cli/output/figures.h"
#include "cli/output/table.h"
#include "cli/times.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Style;
using output::Table;

struct ReconcileOptions {
  std::optional<std::int64_t> id;
  bool all = false;
  std::string reason;
};

// Not $USER, which anybody may set to anything.
std::string user_name() {
  const passwd* user = ::getpwuid(::getuid());
  return user != nullptr ? user->pw_name : "uid " + std::to_string(::getuid());
}

void show_list(const Context& context, const std::vector<admin::Unsettled>& list) {
  Table table({{"ID", Align::right},
               {"SCOPE"},
               {"NAME", Align::left, 0, 8},
               {"AMOUNT", Align::right},
               {"DAY"},
               {"FOUND", Align::left, 1}});
  for (const admin::Unsettled& one : list) {
    table.add({{std::to_string(one.id), Style::accent},
               {one.scope},
               {one.label},
               {output::show_money(one.amount)},
               {one.day},
               {show_time(one.found_at), Style::faint}});
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours)
              << "\nCalls had set these aside when the daemon crashed. They count as spent until they are released:\n"
                 "  nemo budgets reconcile ID|--all --reason \"the provider's bill does not have them\"\n";
}

int list(const Context& context, const std::vector<admin::Unsettled>& unsettled) {
  if (context.json) return context.show(unsettled);
  if (unsettled.empty()) {
    context.err << "Nothing is unsettled.\n";
    return k_done;
  }
  show_list(context, unsettled);
  return k_done;
}

// What was released; the first refusal ends it, and what came before stays released.
int release(const Context& context, const AdminClient& client, const std::vector<admin::Unsettled>& chosen,
            const std::string& reason) {
  const admin::Release record{user_name(), reason};
  std::vector<admin::Unsettled> released;
  std::optional<Error> refusal;
  for (const admin::Unsettled& one : chosen) {
    const auto done = client.release_unsettled(one.id, record);
    // Somebody else was faster: it is released all the same.
    if (!done && done.error().kind == ErrorKind::not_found && chosen.size() > 1) continue;
    if (!done) refusal = done.error();
    if (refusal) break;
    released.push_back(one);
    if (context.json) continue;
    context.out << "Released " << context.styled(output::show_money(one.amount), Style::strong) << " of " << one.scope
                << ' ' << context.styled(one.label, Style::accent) << " (day " << context.styled(one.day, Style::plain)
                << ").\n";
  }
  if (context.json) context.show(released);
  if (refusal) return context.refuse(*refusal);
  if (!context.json && released.empty()) context.err << "Nothing is unsettled.\n";
  return k_done;
}

int reconcile(const Context& context, const ReconcileOptions& options) {
  const bool releases = options.all || options.id;
  if (options.all && options.id) return context.misused("give an ID or --all, not both");
  if (releases && options.reason.find_first_not_of(' ') == std::string::npos) {
    return context.misused("--reason: say why; it is recorded with your name");
  }
  if (!releases && !options.reason.empty()) return context.misused("give an ID or --all to release");
  const AdminClient client = context.client();
  const auto unsettled = client.unsettled();
  if (!unsettled) return context.refuse(unsettled.error());
  if (!releases) return list(context, *unsettled);
  std::vector<admin::Unsettled> chosen = *unsettled;
  if (options.id) {
    std::erase_if(chosen, [&options](const admin::Unsettled& one) { return one.id != *options.id; });
    if (chosen.empty()) {
      return context.refuse(fail(ErrorKind::not_found, "nothing unsettled has the id " + std::to_string(*options.id) +
                                                           "; see: nemo budgets reconcile"));
    }
  }
  return release(context, client, chosen, options.reason);
}

}  // namespace

void add_reconcile(CLI::App& budgets, Context& context) {
  CLI::App* command =
      budgets.add_subcommand("reconcile", "List what a crash left unsettled, or release it with a reason");
  const auto options = std::make_shared<ReconcileOptions>();
  command->add_option("id", options->id, "Which one, as the list says")->type_name("ID");
  command->add_flag("--all", options->all, "All of them");
  command->add_option("--reason", options->reason, "Why; recorded with your user name")->type_name("TEXT");
  command->footer(
      "Examples:\n  nemo budgets reconcile\n"
      "  nemo budgets reconcile 3 --reason \"not on the provider's bill of November\"");
  command->callback(
      [&context, options] { context.action = [&context, options] { return reconcile(context, *options); }; });
}

}  // namespace nemo::cli::commands
