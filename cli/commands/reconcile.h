// What a crash left unsettled: seeing it, and releasing it with a record of who and why.
#pragma once

namespace CLI {
class App;
}

namespace nemo::cli {

struct Context;

namespace commands {

void add_reconcile(CLI::App& budgets, Context& context);

}  // namespace commands
}  // namespace nemo::cli
