#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/commands/price_sum.h"
#include "cli/commands/show_call.h"
#include "cli/context.h"
#include "cli/output/figures.h"
#include "cli/output/table.h"
#include "cli/times.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Cell;
using output::Header;
using output::Style;
using output::Table;

constexpr double k_micros_in_milli = 1000.0;

void show_title(const Context& context, const char* title) {
  context.out << '\n' << context.styled(title, Style::strong) << '\n';
}

std::string say_who(const admin::Call& call) {
  std::string who = "seat " + (call.seat.empty() ? "(unknown)" : call.seat);
  if (!call.team.empty()) who += " of team " + call.team;
  if (!call.key.empty()) who += ", key " + call.key;
  if (!call.client.empty()) who += ", using " + call.client;
  return who;
}

// "project api, branch main, called by node"
std::string say_work(const admin::Call& call) {
  std::string work;
  const auto add = [&work](const char* what, const std::string& value) {
    if (!value.empty()) work += (work.empty() ? "" : ", ") + std::string(what) + value;
  };
  add("project ", call.project);
  add("branch ", call.branch);
  add("called by ", call.process);
  return work;
}

void show_head(const Context& context, const admin::CallStory& story) {
  const admin::Call& call = story.call;
  context.out << context.styled(call.id, Style::accent) << "  "
              << context.styled(describe_status(call), style_of_status(call.status));
  if (!call.error_code.empty()) context.out << " (" << context.styled(call.error_code, Style::bad) << ')';
  context.out << " after " << output::show_millis(call.latency_ms) << '\n'
              << "At " << show_time(call.at) << ", " << context.styled(say_who(call), Style::plain) << ".\n"
              << (say_work(call).empty() ? "" : "For: " + context.styled(say_work(call), Style::plain) + ".\n")
              << "Asked: " << context.styled(call.surface, Style::plain) << ", "
              << (call.stream ? "streamed" : "not streamed") << ", for "
              << context.styled(
                     story.requested_model.empty() ? "no model in particular" : "\"" + story.requested_model + "\"",
                     Style::plain)
              << ".\n";
  context.out << "Model: " << context.styled(call.model.empty() ? "none was chosen" : call.model, Style::strong);
  if (!story.model_reason.empty()) context.out << ", because: " << context.styled(story.model_reason, Style::plain);
  context.out << ".\n";
  if (!call.budget_fallback.empty()) {
    context.out << "Budget: there was no room for " << context.styled(call.budget_fallback, Style::strong)
                << ", so the call went on with " << context.styled(call.model, Style::strong) << ".\n";
  }
  if (!call.experiment.empty()) {
    context.out << "Experiment: " << context.styled(call.experiment + ", arm " + call.arm, Style::plain) << ".\n";
  }
  if (call.accepted) {
    const bool in_part = call.accepted_bytes < call.suggested_bytes;
    context.out << (!*call.accepted ? "Not accepted: its text did not come back in the editor's next prompts.\n"
                    : in_part       ? "Accepted in part: the editor's next prompts have " +
                                    output::show_count(call.accepted_bytes) + " of its " +
                                    output::show_count(call.suggested_bytes) + " bytes in them.\n"
                              : "Accepted: the editor's next prompt has its text in it.\n");
  }
  if (call.cache == "hit" || call.cache == "type-through") {
    context.out << "Answered from the cache (" << context.styled(call.cache, Style::plain)
                << "): no upstream was asked.\n";
  }
}

void show_candidates(const Context& context, const admin::CallStory& story) {
  if (story.candidates.empty()) return;
  show_title(context, "Who could have answered");
  if (!story.strategy.empty()) {
    context.out << "  In this order, by the strategy " << context.styled(story.strategy, Style::strong) << ".\n";
  }
  Table table({{"", Align::left}, {"", Align::left, 0, 16}, {"", Align::left, 1, 16}, {"", Align::left, 0, 20}});
  for (const admin::CandidateView& candidate : story.candidates) {
    table.add({{candidate.eligible ? "  ✔" : "  ✘", candidate.eligible ? Style::good : Style::faint},
               {candidate.deployment},
               {candidate.figures},
               {(candidate.eligible ? "" : "left out: ") + candidate.reason, Style::faint}});
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours, Header::hide);
}

Cell say_outcome(const admin::AttemptView& attempt) {
  const std::string status = attempt.http_status == 0 ? "" : std::to_string(attempt.http_status) + " ";
  if (!attempt.error_code.empty()) return {status + attempt.error_code, Style::bad};
  return status.empty() ? Cell{"given up", Style::faint} : Cell{status + "answered", Style::good};
}

// "hedge: what it said"
std::string say_remark(const admin::AttemptView& attempt) {
  if (attempt.note.empty() || attempt.error.empty()) return attempt.note + attempt.error;
  return attempt.note + ": " + attempt.error;
}

void show_attempts(const Context& context, const admin::CallStory& story) {
  show_title(context, "What was tried");
  if (story.attempts.empty()) {
    context.out << "  Nothing: no upstream was asked.\n";
    return;
  }
  Table table({{"  #", Align::right},
               {"DEPLOYMENT", Align::left, 0, 16},
               {"AFTER", Align::right, 1},
               {"TOOK", Align::right},
               {"STATUS", Align::left},
               {"COST", Align::right, 2},
               {"WHAT IT SAID", Align::left, 3, 20}});
  for (std::size_t i = 0; i < story.attempts.size(); ++i) {
    const admin::AttemptView& attempt = story.attempts[i];
    table.add({{std::to_string(i + 1)},
               {attempt.deployment},
               {output::show_millis(attempt.started_ms)},
               {output::show_millis(attempt.took_ms)},
               say_outcome(attempt),
               {attempt.cost == "0" ? "" : output::show_money(attempt.cost)},
               {say_remark(attempt), Style::faint}});
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours);
}

std::string say_source(const std::string& source) {
  if (source == "provider") return "as the provider counted";
  if (source == "partial") return "counted from what was streamed before the call ended early";
  if (source == "estimated") return "estimated from request and answer, as the provider did not say";
  return "nothing reached a model";
}

void show_prices(const Context& context, const PriceSum& sum, const admin::Call& call) {
  Table table({{"", Align::left}, {"", Align::right}, {"", Align::left}});
  for (const PriceLine& line : sum.lines) {
    if (line.tokens == 0) continue;
    table.add({{"  " + line.what},
               {output::show_count(line.tokens)},
               {"× " + output::show_price(line.price) + " a million", Style::faint}});
  }
  context.out << table.draw(std::nullopt, context.terminal.colours, Header::hide);
  if (sum.long_input) context.out << "  The prices for more than 200,000 tokens of input hold for all of it.\n";
  const auto charged = parse_dollars(call.cost);
  if (charged && charged->value != sum.total.value) {
    context.out << "  At the catalog's prices of now that is $" << to_dollars(sum.total)
                << "; the cost above is what was "
                << "charged at the time.\n";
  }
}

void show_reservation(const Context& context, const admin::Call& call) {
  const auto reserved = parse_dollars(call.reserved);
  const auto cost = parse_dollars(call.cost);
  if (!reserved || !cost || reserved->value == 0) return;
  context.out << "  Set aside before the call: " << output::show_money(call.reserved) << "  (exactly $" << call.reserved
              << ", for at most " << output::show_count(call.estimated_tokens) << " tokens in); ";
  if (*cost > *reserved) {
    context.out << context.styled("it cost $" + to_dollars(*cost - *reserved) + " more, which its budgets made good",
                                  Style::warning)
                << ".\n";
  } else {
    context.out << "$" << to_dollars(*reserved - *cost) << " of it went back.\n";
  }
}

void show_money_story(const Context& context, const admin::Call& call, const std::vector<admin::Model>& models) {
  show_title(context, "What it cost");
  context.out << "  " << context.styled(output::show_money(call.cost), Style::strong) << "  (exactly $" << call.cost
              << "), " << output::show_count(call.input_tokens) << " tokens in, "
              << output::show_count(call.output_tokens) << " out";
  if (call.reasoning_tokens > 0) context.out << " (" << output::show_count(call.reasoning_tokens) << " for reasoning)";
  context.out << ", " << say_source(call.usage_source) << ".\n";
  show_reservation(context, call);
  const auto model = std::find_if(models.begin(), models.end(), [&call](const auto& m) { return m.id == call.model; });
  if (model == models.end() || call.input_tokens + call.output_tokens == 0) return;
  if (const auto sum = sum_prices(*model, call)) {
    show_prices(context, *sum, call);
  } else {
    context.out << "  The catalog has no price for " << context.styled(call.model, Style::plain) << ".\n";
  }
}

// Up to the first token upstream thinks, after it the answer flows; the daemon's own part is measured, not guessed.
void show_times(const Context& context, const admin::Call& call) {
  show_title(context, "Where the time went");
  const double own = static_cast<double>(call.overhead_us) / k_micros_in_milli;
  const double until_first = call.ttft_ms.value_or(call.latency_ms);
  std::vector<std::pair<std::string, double>> parts{{"nemo itself", own}};
  if (call.ttft_ms) {
    parts.emplace_back("until the first token", std::max(until_first - own, 0.0));
    parts.emplace_back("the rest of the answer", std::max(call.latency_ms - until_first, 0.0));
  } else {
    parts.emplace_back("upstream and the way to it", std::max(call.latency_ms - own, 0.0));
  }
  Table table({{"", Align::left}, {"", Align::right}, {"", Align::left, 1}});
  constexpr std::size_t k_line_width = 24;
  for (const auto& [name, millis] : parts) {
    const double share = call.latency_ms > 0 ? millis / call.latency_ms : 0;
    table.add({{"  " + name},
               {output::show_millis(millis)},
               {context.terminal.width ? output::bar(share, k_line_width) : "", Style::accent}});
  }
  table.add({{"  together", Style::faint}, {output::show_millis(call.latency_ms), Style::faint}, {}});
  context.out << table.draw(context.terminal.width, context.terminal.colours, Header::hide);
}

int tell(const Context& context, const std::string& id, AdminClient::Paths paths) {
  const AdminClient client = context.client();
  const auto story = client.call(id, paths);
  if (!story) return context.refuse(story.error());
  if (context.json) return context.show(*story);
  show_head(context, *story);
  show_candidates(context, *story);
  show_attempts(context, *story);
  const auto models = client.models();
  show_money_story(context, story->call, models ? *models : std::vector<admin::Model>{});
  show_times(context, story->call);
  return k_done;
}

}  // namespace

void add_why(CLI::App& app, Context& context) {
  CLI::App* command =
      app.add_subcommand("why", "The story of one call: who was asked, in what order, and what it cost");
  const auto id = std::make_shared<std::string>();
  command->add_option("id", *id, "The call's id: the header x-nemo-request-id, or a line of \"nemo logs\"")
      ->required()
      ->type_name("REQUEST_ID");
  const auto paths = std::make_shared<bool>(false);
  command->add_flag("--paths", *paths, "The project by the whole path of its folder, not by its name");
  command->callback([&context, id, paths] {
    context.action = [&context, id, paths] {
      return tell(context, *id, *paths ? AdminClient::Paths::whole : AdminClient::Paths::names);
    };
  });
}

}  // namespace nemo::cli::commands
