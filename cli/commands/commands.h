// Every command, one function each: adds it to the command line and says what it does when it is chosen.
#pragma once

namespace CLI {
class App;
}

namespace nemo::cli {

struct Context;

namespace commands {

void add_status(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_login(CLI::App& app, Context& context);
void add_logout(CLI::App& app, Context& context);
void add_models(CLI::App& app, Context& context);
void add_set_model(CLI::App& app, Context& context);
void add_keys(CLI::App& app, Context& context);
void add_teams(CLI::App& app, Context& context);
void add_seats(CLI::App& app, Context& context);
void add_budgets(CLI::App& app, Context& context);
void add_deployments(CLI::App& app, Context& context);
void add_route(CLI::App& app, Context& context);
void add_ab(CLI::App& app, Context& context);
void add_usage(CLI::App& app, Context& context);
void add_logs(CLI::App& app, Context& context);
void add_why(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);
void add_connect(CLI::App& app, Context& context);
void add_service(CLI::App& app, Context& context);

}  // namespace commands
}  // namespace nemo::cli
