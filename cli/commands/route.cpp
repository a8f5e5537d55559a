#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/choose_key.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/output/table.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Header;
using output::Style;
using output::Table;

void show_choice(const Context& context, const char* what, const std::string& chosen, const std::string& why) {
  context.out << what << ": " << context.styled(chosen, Style::strong);
  if (!why.empty()) context.out << ", because: " << context.styled(why, Style::plain);
  context.out << ".\n";
}

// Who is in the arm, so that nobody takes it for everybody's.
std::string say_whose(const admin::RoutePlan& plan, const admin::RouteQuestion& question) {
  if (plan.experiment_by == "request") return "by request: the next call may be in another arm";
  return question.key.empty() ? "by seat, and no key was named: see a seat's own arm with --key" : "by the key's seat";
}

void show_head(const Context& context, const admin::RoutePlan& plan, const admin::RouteQuestion& question) {
  if (!plan.lane.empty()) show_choice(context, "Lane", plan.lane, plan.lane_reason);
  show_choice(context, "Model", plan.model.empty() ? "none is chosen" : plan.model, plan.model_reason);
  if (!plan.experiment.empty()) {
    context.out << "Experiment: " << context.styled(plan.experiment + ", arm " + plan.arm, Style::strong) << " ("
                << say_whose(plan, question) << ").\n";
  }
  if (!plan.candidates.empty()) {
    context.out << "Strategy: " << context.styled(plan.strategy, Style::strong) << ".\n";
  }
}

void show_candidates(const Context& context, const admin::RoutePlan& plan) {
  if (plan.candidates.empty()) return;
  context.out << '\n' << context.styled("Who would be tried, in this order", Style::strong) << '\n';
  Table table({{"  #", Align::right},
               {"DEPLOYMENT", Align::left, 0, 16},
               {"FIGURES", Align::left, 1, 24},
               {"WHY", Align::left, 2, 20}});
  int place = 0;
  for (const admin::RouteCandidate& candidate : plan.candidates) {
    table.add({{candidate.eligible ? std::to_string(++place) : "✘", candidate.eligible ? Style::good : Style::faint},
               {candidate.deployment, candidate.eligible ? Style::accent : Style::plain},
               {candidate.figures},
               {(candidate.eligible ? "" : "left out: ") + candidate.reason, Style::faint}});
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours);
}

int explain(const Context& context, admin::RouteQuestion question) {
  const AdminClient client = context.client();
  if (!question.key.empty()) {
    const auto keys = client.keys();
    if (!keys) return context.refuse(keys.error());
    const auto key = choose_key(*keys, question.key);
    if (!key) return context.refuse(key.error());
    question.key = key->id;
  }
  const auto plan = client.explain_route(question);
  if (!plan) return context.refuse(plan.error());
  if (context.json) return context.show(*plan);
  show_head(context, *plan, question);
  show_candidates(context, *plan);
  if (!plan->error_code.empty()) {
    context.out << '\n'
                << context.styled("The call would be refused", Style::bad) << " ("
                << context.styled(plan->error_code, Style::plain) << "): " << context.styled(plan->error, Style::plain)
                << '\n';
  }
  return k_done;
}

void add_question(CLI::App& command, admin::RouteQuestion& question) {
  command.add_option("--model", question.model, "The model that the call names: a catalog id, an alias, nemo/auto, …")
      ->type_name("MODEL");
  command.add_option("--lane", question.lane, "The lane that it asks for (nemo_lane)")->type_name("LANE");
  command.add_option("--tags", question.tags, "The tags that it asks for, with commas between them (nemo_tags)")
      ->delimiter(',')
      ->type_name("TAGS");
  command.add_option("--key", question.key, "The key that it comes with: its id or its last four characters")
      ->type_name("KEY_ID");
  command.add_flag("--stream", question.stream, "It is streamed");
  command.add_flag("--fim", question.fim, "It asks to fill in the middle");
  command.add_flag("--tools", question.tools, "It offers tools to the model");
  command.add_option("--max-tokens", question.max_tokens, "Its max_tokens")->check(CLI::PositiveNumber)->type_name("N");
  command.add_option("--prompt-bytes", question.prompt_bytes, "How long its prompt is")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
}

}  // namespace

void add_route(CLI::App& app, Context& context) {
  CLI::App* route = app.add_subcommand("route", "What would become of a call, without making it");
  route->require_subcommand(1);
  CLI::App* command = route->add_subcommand("explain", "Which lane, model and deployments a call would get, and why");
  const auto question = std::make_shared<admin::RouteQuestion>();
  add_question(*command, *question);
  command->footer(
      "Examples:\n"
      "  nemo route explain --model gemini-2.5-flash\n"
      "  nemo route explain --fim --stream --tags code --key ab12\n"
      "\"nemo why REQUEST_ID\" tells the same of a call that was made.");
  command->callback(
      [&context, question] { context.action = [&context, question] { return explain(context, *question); }; });
}

}  // namespace nemo::cli::commands
