#include "cli/commands/terms_options.h"

#include <CLI/CLI.hpp>
#include <ostream>

#include "cli/context.h"
#include "cli/output/figures.h"
#include "cli/output/text.h"
#include "shared/money.h"

namespace nemo::cli::commands {
namespace {

using output::Style;

// How many, the daemon decides; here only what is no number at all.
std::string check_limit(const std::string& text) {
  if (text == "none") return {};
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) return {};
  return "a whole number or \"none\" is expected, not \"" + text + "\"";
}

bool is_nothing(const std::string& budget) {
  const auto amount = parse_dollars(budget.substr(0, budget.find('/')));
  return amount && amount->value == 0;
}

std::string say_limit(std::int64_t limit) {
  return limit == 0 ? "0 (none allowed)" : output::show_count(limit);
}

}  // namespace

void add_terms_options(CLI::App& command, admin::TermsRequest& request, TermsOf whose) {
  command
      .add_option("--budget", request.budgets,
                  "Dollars a day, week, month or in total, such as 80/month; may be given several times, one a window. "
                  "none/day or none takes it away")
      ->allow_extra_args(false)
      ->type_name("AMOUNT/WINDOW");
  command.add_option("--rpm", request.rpm, "Requests a minute; 0: none allowed; none: no limit")
      ->check(check_limit)
      ->type_name("N");
  command.add_option("--tpm", request.tpm, "Tokens a minute")->check(check_limit)->type_name("N");
  command.add_option("--parallel", request.parallel, "Calls at once")->check(check_limit)->type_name("N");
  if (whose == TermsOf::group) return;
  command
      .add_option("--on-budget", request.on_budget,
                  "When the budget is used up: refuse, or fallback:MODEL to go on with a free model")
      ->type_name("WHAT");
}

std::string describe_budgets(const admin::Terms& terms) {
  std::vector<std::string> words;
  words.reserve(terms.budgets.size());
  for (const std::string& budget : terms.budgets) words.push_back("$" + budget);
  return output::join(words, ", ");
}

std::string describe_limits(const admin::Terms& terms) {
  std::vector<std::string> words;
  if (terms.rpm) words.push_back(output::show_short_count(*terms.rpm) + " rpm");
  if (terms.tpm) words.push_back(output::show_short_count(*terms.tpm) + " tpm");
  if (terms.parallel) words.push_back(output::show_short_count(*terms.parallel) + " at once");
  return output::join(words, ", ");
}

void add_terms_rows(output::Table& table, const admin::Terms& terms, TermsOf whose) {
  const auto line = [&table](const char* name, const std::string& value) {
    table.add({{name, Style::faint}, {value, Style::plain}});
  };
  if (terms.budgets.empty()) line("budget", "none");
  for (const std::string& budget : terms.budgets) {
    line("budget", "$" + budget + (is_nothing(budget) ? " (nothing that costs anything)" : ""));
  }
  if (whose == TermsOf::key && !terms.budgets.empty()) line("on budget", terms.on_budget);
  if (terms.rpm) line("requests a minute", say_limit(*terms.rpm));
  if (terms.tpm) line("tokens a minute", say_limit(*terms.tpm));
  if (terms.parallel) line("calls at once", say_limit(*terms.parallel));
}

void say_nothing_allowed(const Context& context, const admin::Terms& terms) {
  const auto warn = [&context](const std::string& what) {
    context.err << context.styled("note: " + what, Style::warning) << '\n';
  };
  for (const std::string& budget : terms.budgets) {
    if (is_nothing(budget)) warn("a budget of $" + budget + " allows nothing that costs anything");
  }
  if (terms.rpm == 0) warn("0 requests a minute: no call is allowed");
  if (terms.tpm == 0) warn("0 tokens a minute: no call is allowed");
  if (terms.parallel == 0) warn("0 calls at once: no call is allowed");
}

}  // namespace nemo::cli::commands
