#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/commands/terms_options.h"
#include "cli/context.h"
#include "cli/output/figures.h"
#include "cli/output/table.h"
#include "cli/output/text.h"
#include "cli/times.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Style;
using output::Table;

struct TeamOptions {
  std::string name;
  admin::TermsRequest terms;
};

int list_teams(const Context& context) {
  const auto teams = context.client().teams();
  if (!teams) return context.refuse(teams.error());
  if (context.json) return context.show(*teams);
  if (teams->empty()) {
    context.err << "There is no team yet; make one: nemo teams create NAME\n";
    return k_done;
  }
  Table table({{"TEAM", Align::left, 0, 12},
               {"KEYS", Align::right},
               {"BUDGET", Align::left, 0, 12},
               {"LIMITS", Align::left, 1, 12},
               {"SEATS", Align::left, 2, 12},
               {"CREATED", Align::left, 3}});
  for (const admin::Team& team : *teams) {
    table.add({{team.name, Style::accent},
               {output::show_count(team.keys)},
               {describe_budgets(team.terms)},
               {describe_limits(team.terms)},
               {output::join(team.seats, ",")},
               {show_time(team.created_at), Style::faint}});
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours);
  return k_done;
}

int list_seats(const Context& context) {
  const auto seats = context.client().seats();
  if (!seats) return context.refuse(seats.error());
  if (context.json) return context.show(*seats);
  if (seats->empty()) {
    context.err << "There is no seat yet; it is there with its first key: nemo keys create --seat NAME\n";
    return k_done;
  }
  Table table({{"SEAT", Align::left, 0, 12},
               {"KEYS", Align::right},
               {"BUDGET", Align::left, 0, 12},
               {"LIMITS", Align::left, 1, 12},
               {"TEAMS", Align::left, 2, 12},
               {"LAST USED", Align::left, 3}});
  for (const admin::Seat& seat : *seats) {
    table.add({{seat.name, Style::accent},
               {output::show_count(seat.keys)},
               {describe_budgets(seat.terms)},
               {describe_limits(seat.terms)},
               {output::join(seat.teams, ",")},
               {seat.last_used_at.empty() ? "never" : show_time(seat.last_used_at), Style::faint}});
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours);
  return k_done;
}

// `what` is "team" or "seat"; T is what the daemon answered with.
template <typename T>
int show_changed(const Context& context, const Result<T>& changed, const char* what) {
  if (!changed) return context.refuse(changed.error());
  if (context.json) {
    context.show(*changed);
  } else {
    Table table({{"", Align::left}, {"", Align::left}});
    table.add({{what, Style::faint}, {changed->name, Style::accent}});
    table.add({{"keys", Style::faint}, {output::show_count(changed->keys)}});
    add_terms_rows(table, changed->terms, TermsOf::group);
    context.out << table.draw(std::nullopt, context.terminal.colours, output::Header::hide);
  }
  context.out.flush();
  say_nothing_allowed(context, changed->terms);
  return k_done;
}

int create_team(const Context& context, const TeamOptions& options) {
  return show_changed(context, context.client().create_team({options.name, options.terms}), "team");
}

int set_team(const Context& context, const TeamOptions& options) {
  if (options.terms.empty()) return context.misused("say what should change, such as --budget 400/month");
  return show_changed(context, context.client().change_team(options.name, options.terms), "team");
}

int set_seat(const Context& context, const TeamOptions& options) {
  if (options.terms.empty()) return context.misused("say what should change, such as --budget 80/month");
  return show_changed(context, context.client().change_seat(options.name, options.terms), "seat");
}

int delete_team(const Context& context, const TeamOptions& options) {
  const auto deleted = context.client().delete_team(options.name);
  if (!deleted) return context.refuse(deleted.error());
  if (context.json) return context.show(*deleted);
  context.out << "The team " << context.styled(deleted->name, Style::strong)
              << " is gone; what it spent stays in the ledger.\n";
  return k_done;
}

using TeamAct = int (*)(const Context&, const TeamOptions&);
enum class Takes { name, name_and_terms };

void add_named(CLI::App& parent, Context& context, const char* verb, const char* what, const char* example, Takes takes,
               TeamAct act) {
  CLI::App* command = parent.add_subcommand(verb, what);
  const auto options = std::make_shared<TeamOptions>();
  command->add_option("name", options->name, "Its name")->required()->type_name("NAME")->check([](const auto& name) {
    return name.empty() ? std::string("a name is expected") : std::string();
  });
  if (takes == Takes::name_and_terms) add_terms_options(*command, options->terms, TermsOf::group);
  command->footer(std::string("Example:\n  ") + example);
  command->callback(
      [&context, options, act] { context.action = [&context, options, act] { return act(context, *options); }; });
}

}  // namespace

void add_teams(CLI::App& app, Context& context) {
  CLI::App* teams = app.add_subcommand("teams", "Make, list, change and delete teams and their budgets");
  teams->require_subcommand(1);
  add_named(*teams, context, "create", "Make a team", "nemo teams create core --budget 400/month --rpm 600",
            Takes::name_and_terms, create_team);
  CLI::App* listing = teams->add_subcommand("list", "Every team");
  listing->callback([&context] { context.action = [&context] { return list_teams(context); }; });
  add_named(*teams, context, "set", "Change a team's budgets or limits",
            "nemo teams set core --budget 500/month --rpm none", Takes::name_and_terms, set_team);
  add_named(*teams, context, "delete", "Delete a team that no key belongs to", "nemo teams delete core", Takes::name,
            delete_team);
}

void add_seats(CLI::App& app, Context& context) {
  CLI::App* seats =
      app.add_subcommand("seats", "List seats and change their budgets; a seat is there through its keys");
  seats->require_subcommand(1);
  CLI::App* listing = seats->add_subcommand("list", "Every seat");
  listing->callback([&context] { context.action = [&context] { return list_seats(context); }; });
  add_named(*seats, context, "set", "Change a seat's budgets or limits, for all its keys together",
            "nemo seats set alice --budget 80/month --budget 10/day", Takes::name_and_terms, set_seat);
}

}  // namespace nemo::cli::commands
