#include "cli/commands/show_key.h"

#include <ostream>

#include "cli/commands/terms_options.h"
#include "cli/context.h"
#include "cli/output/table.h"
#include "cli/output/text.h"
#include "cli/times.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Style;
using output::Table;

Style style_of_key(const std::string& state) {
  if (state == "active") return Style::good;
  return state == "revoked" ? Style::bad : Style::warning;
}

std::string time_or(const std::string& rfc3339, const char* otherwise) {
  return rfc3339.empty() ? otherwise : show_time(rfc3339);
}

}  // namespace

void show_keys(const Context& context, const std::vector<admin::Key>& keys) {
  Table table({{"ID"},
               {"KEY", Align::left, 3},
               {"SEAT", Align::left, 0, 8},
               {"TEAM", Align::left, 2, 8},
               {"STATE"},
               {"BUDGET", Align::left, 1, 12},
               {"LIMITS", Align::left, 5, 12},
               {"LAST USED", Align::left, 4},
               {"EXPIRES", Align::left, 3},
               {"OLD KEY WORKS UNTIL", Align::left, 2},
               {"MODELS", Align::left, 6, 10},
               {"CREATED", Align::left, 7}});
  for (const admin::Key& key : keys) {
    table.add({{key.id, Style::accent},
               {key.hint},
               {key.seat},
               {key.team},
               {key.state, style_of_key(key.state)},
               {describe_budgets(key.terms)},
               {describe_limits(key.terms)},
               {time_or(key.last_used_at, "never"), Style::faint},
               {time_or(key.expires_at, "never")},
               {time_or(key.old_works_until, ""), Style::warning},
               {key.models.empty() ? "all" : output::join(key.models, ",")},
               {show_time(key.created_at), Style::faint}});
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours);
}

void show_key(const Context& context, const admin::Key& key) {
  Table table({{"", Align::left}, {"", Align::left}});
  const auto line = [&table](const char* name, const std::string& value, Style style = Style::plain) {
    table.add({{name, Style::faint}, {value, style}});
  };
  line("id", key.id, Style::accent);
  line("key", key.hint);
  if (!key.old_works_until.empty()) {
    line("old key", key.old_hint + ", works until " + show_time(key.old_works_until), Style::warning);
  }
  line("seat", key.seat);
  line("team", key.team.empty() ? "none" : key.team);
  line("state", key.state, style_of_key(key.state));
  line("models", key.models.empty() ? "all" : output::join(key.models, ","));
  add_terms_rows(table, key.terms, TermsOf::key);
  line("created", show_time(key.created_at));
  line("last used", time_or(key.last_used_at, "never"));
  line("expires", time_or(key.expires_at, "never"));
  if (!key.revoked_at.empty()) line("revoked", show_time(key.revoked_at));
  context.out << table.draw(std::nullopt, context.terminal.colours, output::Header::hide);
}

void show_secret(const Context& context, const admin::CreatedKey& created, const std::string& url) {
  const std::string plain_url = url.empty() ? k_usual_url : url;
  const admin::Key& key = created.record;
  context.out << "A key for " << context.styled(key.seat, Style::strong) << " (" << context.styled(key.id, Style::plain)
              << ", expires " << time_or(key.expires_at, "never");
  if (const auto budgets = describe_budgets(key.terms); !budgets.empty()) context.out << ", budget " << budgets;
  if (const auto limits = describe_limits(key.terms); !limits.empty()) context.out << ", limits " << limits;
  context.out << "):\n\n  " << context.styled(created.key, Style::strong) << "\n\n"
              << context.styled("It is not shown again and not kept anywhere: copy it now.", Style::warning)
              << "\n\nFor an editor or a shell:\n\n  export OPENAI_BASE_URL=" << plain_url
              << "/v1\n  export OPENAI_API_KEY=" << created.key << '\n';
}

}  // namespace nemo::cli::commands
