// Budgets and limits on the command line: how they are given, and how they are told.
#pragma once

#include <string>
#include <vector>

#include "cli/output/table.h"
#include "shared/admin/terms.h"

namespace CLI {
class App;
}

namespace nemo::cli {

struct Context;

namespace commands {

enum class TermsOf { key, group };

// --budget, --rpm, --tpm, --parallel and, for keys, --on-budget. `request` must live as long as the command.
void add_terms_options(CLI::App& command, admin::TermsRequest& request, TermsOf whose);

std::string describe_budgets(const admin::Terms& terms);  // "$80/month, $5/day"; empty: none
std::string describe_limits(const admin::Terms& terms);   // "60 rpm, 100k tpm, 4 at once"; empty: none
// One row a term, for a table of two columns.
void add_terms_rows(output::Table& table, const admin::Terms& terms, TermsOf whose);
// What a limit of nothing means, so that nobody sets it by mistake.
void say_nothing_allowed(const Context& context, const admin::Terms& terms);

}  // namespace commands
}  // namespace nemo::cli
