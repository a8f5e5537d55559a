#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/ab_report.h"
#include "cli/commands/arms.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/output/figures.h"
#include "cli/output/table.h"
#include "cli/times.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Style;
using output::Table;

struct ExperimentOptions {
  admin::ExperimentRequest request;
  std::string arms;
};

Style style_of_experiment(const std::string& state) {
  if (state == "running") return Style::good;
  return state == "paused" ? Style::warning : Style::faint;
}

int list_experiments(const Context& context) {
  const auto experiments = context.client().experiments();
  if (!experiments) return context.refuse(experiments.error());
  if (context.json) return context.show(*experiments);
  if (experiments->empty()) {
    context.err << "There is no experiment yet; make one: nemo ab create NAME --lane completion --arms a=50,b=50\n";
    return k_done;
  }
  Table table({{"EXPERIMENT", Align::left, 0, 12},
               {"STATE", Align::left},
               {"LANE", Align::left, 1},
               {"BY", Align::left, 3},
               {"ARMS", Align::left, 0, 24},
               {"STARTED", Align::left, 2},
               {"ENDED", Align::left, 4}});
  for (const admin::Experiment& one : *experiments) {
    table.add({{one.name, Style::accent},
               {one.state, style_of_experiment(one.state)},
               {one.lane},
               {one.by},
               {describe_arms(one.arms)},
               {one.started_at.empty() ? "not yet" : show_time(one.started_at), Style::faint},
               {one.ended_at.empty() ? "" : show_time(one.ended_at), Style::faint}});
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours);
  return k_done;
}

// What is true of it now, and what can be done next.
std::string describe_next(const admin::Experiment& one) {
  if (one.state == "draft") return "No call is in it yet. Start it:  nemo ab start " + one.name;
  if (one.state == "running") {
    return "Calls of lane " + one.lane + " are shared out from now on. See how it goes:  nemo ab report " + one.name;
  }
  if (one.state == "paused") return "No further call is in it. Go on:  nemo ab start " + one.name;
  return "It is over, and its report stays:  nemo ab report " + one.name;
}

int show_changed(const Context& context, const Result<admin::Experiment>& changed) {
  if (!changed) return context.refuse(changed.error());
  if (context.json) return context.show(*changed);
  context.out << "Experiment " << context.styled(changed->name, Style::strong) << " is "
              << context.styled(changed->state, style_of_experiment(changed->state)) << ": lane "
              << context.styled(changed->lane, Style::plain) << ", "
              << context.styled(describe_arms(changed->arms), Style::plain) << ", by " << changed->by << ".\n"
              << context.styled(describe_next(*changed), Style::plain) << '\n';
  return k_done;
}

int create(const Context& context, const ExperimentOptions& options) {
  auto arms = parse_arms(options.arms);
  if (!arms) return context.misused("--arms: " + arms.error().message);
  admin::ExperimentRequest request = options.request;
  request.arms = std::move(arms).value();
  return show_changed(context, context.client().create_experiment(request));
}

int start(const Context& context, const ExperimentOptions& options) {
  return show_changed(context, context.client().start_experiment(options.request.name));
}

int pause(const Context& context, const ExperimentOptions& options) {
  return show_changed(context, context.client().pause_experiment(options.request.name));
}

int stop(const Context& context, const ExperimentOptions& options) {
  return show_changed(context, context.client().stop_experiment(options.request.name));
}

int report(const Context& context, const ExperimentOptions& options) {
  const auto found = context.client().report_experiment(options.request.name);
  if (!found) return context.refuse(found.error());
  if (context.json) return context.show(*found);
  const admin::Experiment& one = found->experiment;
  context.out << context.styled(one.name, Style::accent) << "  "
              << context.styled(one.state, style_of_experiment(one.state)) << ", lane "
              << context.styled(one.lane, Style::plain) << ", by " << one.by;
  if (!one.started_at.empty()) context.out << ", since " << show_time(one.started_at);
  if (!one.ended_at.empty()) context.out << " until " << show_time(one.ended_at);
  context.out << "\n\n"
              << draw_report(*found, context.terminal.width, context.terminal.colours) << '\n'
              << context.styled("In brackets: the 95 % interval. -: too few calls to say.", Style::faint) << '\n';
  if (!found->complete) {
    context.out << context.styled("There were older calls than these, which are left out.", Style::warning) << '\n';
  }
  return k_done;
}

using ExperimentAct = int (*)(const Context&, const ExperimentOptions&);

CLI::App* add_named(CLI::App& parent, Context& context, const std::shared_ptr<ExperimentOptions>& options,
                    const char* verb, const char* what, ExperimentAct act) {
  CLI::App* command = parent.add_subcommand(verb, what);
  command->add_option("name", options->request.name, "Its name")
      ->required()
      ->type_name("NAME")
      ->check([](const auto& name) { return name.empty() ? std::string("a name is expected") : std::string(); });
  command->callback(
      [&context, options, act] { context.action = [&context, options, act] { return act(context, *options); }; });
  return command;
}

void add_create_experiment(CLI::App& parent, Context& context) {
  const auto options = std::make_shared<ExperimentOptions>();
  CLI::App* command = add_named(parent, context, options, "create", "Make an experiment; it begins with start", create);
  command->add_option("--lane", options->request.lane, "The lane whose calls are shared out")
      ->required()
      ->type_name("LANE");
  command->add_option("--arms", options->arms, "Models and their weights; the first is what others are compared with")
      ->required()
      ->type_name("MODEL=N,…");
  command->add_option("--by", options->request.by, "What always gets the same model: a seat, or just each request")
      ->check(CLI::IsMember({"seat", "request"}))
      ->type_name("WHAT")
      ->capture_default_str();
  command->footer(
      "Calls that name a model are in no experiment: only those that leave the choice to the lane are.\n\n"
      "Example:\n  nemo ab create lite --lane completion --arms gemini-2.5-flash=50,gemini-2.5-flash-lite=50");
}

}  // namespace

void add_ab(CLI::App& app, Context& context) {
  CLI::App* ab = app.add_subcommand("ab", "Experiments: share a lane's calls out among models, and compare them");
  ab->require_subcommand(1);
  add_create_experiment(*ab, context);
  CLI::App* listing = ab->add_subcommand("list", "Every experiment");
  listing->callback([&context] { context.action = [&context] { return list_experiments(context); }; });
  const auto named = [&](const char* verb, const char* what, ExperimentAct act) {
    add_named(*ab, context, std::make_shared<ExperimentOptions>(), verb, what, act);
  };
  named("start", "Begin it, or go on after a pause", start);
  named("pause", "Send all calls to the lane's own model for now", pause);
  named("stop", "End it for good; its report stays", stop);
  named("report", "What its arms did, with intervals, and which differences are more than noise", report);
}

}  // namespace nemo::cli::commands
