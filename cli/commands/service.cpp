#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/output/table.h"
#include "cli/output/text.h"
#include "cli/service/service_file.h"
#include "cli/service/service_plan.h"
#include "cli/service/supervisor.h"
#include "cli/times.h"

namespace nemo::cli::commands {
namespace {

using output::Style;
using service::Change;
using service::Supervisor;

constexpr int k_most_lines = 100'000;

struct ServiceOptions {
  std::string platform;
  std::string config;
  bool print = false;
  bool no_start = false;
  service::LogWishes logs;
};

std::unique_ptr<Supervisor> supervisor_of(const Context& context, const ServiceOptions& options) {
  service::Kind kind = service::Kind::native;
  if (options.platform == "systemd") kind = service::Kind::systemd;
  if (options.platform == "launchd") kind = service::Kind::launchd;
  return service::make_supervisor(kind, context.env, context.clock);
}

bool is_installed(const Supervisor& supervisor) {
  std::error_code ignored;
  return std::filesystem::exists(supervisor.file(), ignored);
}

Error not_installed() {
  return fail(ErrorKind::not_found, "nemod is not installed as a service; do that with: nemo service install");
}

int print(const Context& context, const Supervisor& supervisor, const std::string& text) {
  if (context.json) {
    return context.show({{"platform", supervisor.name()}, {"file", supervisor.file().string()}, {"text", text}});
  }
  context.out << text;
  return k_done;
}

void tell_written(const Context& context, const Supervisor& supervisor, const std::string& text, Change change) {
  const std::string file = context.styled(supervisor.file().string(), Style::accent);
  if (change == Change::none) {
    context.out << file << " is as it should be.\n";
    return;
  }
  context.out << (change == Change::made ? "Wrote " : "Wrote anew ") << file << ":\n\n";
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    context.out << (line.empty() ? "" : "    " + context.styled(line, Style::faint)) << '\n';
  }
  context.out << '\n';
}

// Two daemons cannot share a folder, and the one that was started by hand would keep the service from starting.
Status start_service(const Context& context, const Supervisor& supervisor, Change change) {
  const auto state = supervisor.state();
  if (!state) return state.error();
  const bool runs = state->active == "active";
  if (!runs && context.client().answers()) {
    return fail(ErrorKind::conflict, "a nemod that was started in another way answers at " +
                                         context.socket_path().string() +
                                         ": end it (its pid is in \"nemo status\"), then: nemo service start");
  }
  Status started = runs && change == Change::replaced ? supervisor.restart() : supervisor.start();
  if (started) return started;
  return fail(started.error().kind, started.error().message + "\nWhat nemod said: nemo service logs");
}

void tell_installed(const Context& context, const Supervisor& supervisor) {
  context.out << context.styled("nemod runs, and starts whenever you log in.", Style::good) << '\n';
  if (supervisor.name() == "systemd") {
    context.out << "It ends with your last session, unless you say: loginctl enable-linger\n";
  }
  for (const std::string& name : service::unseen_credentials(context.env)) {
    context.out << context.styled("! ", Style::warning) << name
                << " is set in this shell, where the service does not see it: "
                << (name == "NEMOROUTER_API_KEY" ? "store the key with: nemo login"
                                                 : "name the file in the config: credentials = \"file:PATH\"")
                << '\n';
  }
}

int install(const Context& context, const ServiceOptions& options) {
  const auto supervisor = supervisor_of(context, options);
  const auto plan = service::make_plan(context.env, {options.config, context.socket});
  if (!plan) return context.refuse(plan.error());
  const auto text = supervisor->text(*plan);
  if (!text) return context.refuse(text.error());
  if (options.print) return print(context, *supervisor, *text);
  if (const Status reached = supervisor->reach(); !reached) return context.refuse(reached.error());
  const auto change = service::write_service_file(supervisor->file(), *text);
  if (!change) return context.refuse(change.error());
  if (!context.json) tell_written(context, *supervisor, *text, *change);
  if (const Status prepared = supervisor->prepare(*plan); !prepared) return context.refuse(prepared.error());
  if (!options.no_start) {
    const Status started = start_service(context, *supervisor, *change);
    if (!started) return context.refuse(started.error());
  }
  if (context.json) {
    return context.show({{"platform", supervisor->name()},
                         {"file", supervisor->file().string()},
                         {"text", *text},
                         {"changed", *change != Change::none},
                         {"started", !options.no_start}});
  }
  if (options.no_start) {
    context.out << "It starts when you log in next, or now with: nemo service start\n";
  } else {
    tell_installed(context, *supervisor);
  }
  return k_done;
}

int uninstall(const Context& context, const ServiceOptions& options) {
  const auto supervisor = supervisor_of(context, options);
  const auto found = service::find_service_file(supervisor->file());
  if (!found) return context.refuse(found.error());
  if (*found) {
    if (const Status reached = supervisor->reach(); !reached) return context.refuse(reached.error());
    if (const Status gone = supervisor->withdraw(); !gone) return context.refuse(gone.error());
  }
  const auto removed = service::remove_service_file(supervisor->file());
  if (!removed) return context.refuse(removed.error());
  const Change change = *removed;
  if (change == Change::removed) {
    if (const Status forgot = supervisor->forget(); !forgot) return context.refuse(forgot.error());
  }
  if (context.json) {
    return context.show({{"file", supervisor->file().string()}, {"removed", change == Change::removed}});
  }
  if (change == Change::none) {
    context.out << "nemod is not installed as a service; nothing was changed.\n";
  } else {
    context.out << "Removed " << context.styled(supervisor->file().string(), Style::accent)
                << ". Its config, its keys and its ledger stay where they are.\n";
  }
  return k_done;
}

int start(const Context& context, const ServiceOptions& options) {
  const auto supervisor = supervisor_of(context, options);
  if (!is_installed(*supervisor)) return context.refuse(not_installed());
  if (const Status reached = supervisor->reach(); !reached) return context.refuse(reached.error());
  if (const Status started = start_service(context, *supervisor, Change::none); !started) {
    return context.refuse(started.error());
  }
  if (context.json) return context.show({{"started", true}});
  context.out << "nemod runs.\n";
  return k_done;
}

int stop(const Context& context, const ServiceOptions& options) {
  const auto supervisor = supervisor_of(context, options);
  if (!is_installed(*supervisor)) return context.refuse(not_installed());
  if (const Status reached = supervisor->reach(); !reached) return context.refuse(reached.error());
  if (const Status stopped = supervisor->stop(); !stopped) return context.refuse(stopped.error());
  if (context.json) return context.show({{"stopped", true}});
  context.out << "nemod has stopped. It starts again when you log in; for good: nemo service uninstall\n";
  return k_done;
}

void show_line(const Context& context, const char* name, const std::string& value, Style style = Style::plain) {
  context.out << "  " << context.styled(output::pad_to(name, 9, output::Align::left), Style::faint) << ' '
              << context.styled(value, style) << '\n';
}

void show_state(const Context& context, const Supervisor& supervisor, const service::ServiceState& state,
                bool answers) {
  context.out << context.styled("nemod as a service of " + std::string(supervisor.name()), Style::strong) << '\n';
  const std::string detail = state.detail.empty() ? "" : " (" + state.detail + ")";
  const bool active = state.active == "active";
  show_line(context, "service",
            !state.installed
                ? "not installed; do that with: nemo service install"
                : state.active + detail + (state.enabled ? ", starts at login" : ", does not start itself"),
            active ? Style::good : Style::warning);
  if (state.pid) {
    const std::string since = state.since ? ", since " + show_time(to_rfc3339(*state.since)) : "";
    show_line(context, "process", "pid " + std::to_string(*state.pid) + since);
  }
  show_line(context, "answers", (answers ? "yes, at " : "no, not at ") + context.socket_path().string(),
            answers ? Style::good : Style::bad);
  if (state.installed) show_line(context, "file", supervisor.file().string());
  if (answers && !active) context.out << "The nemod that answers was started in another way.\n";
}

int status(const Context& context, const ServiceOptions& options) {
  const auto supervisor = supervisor_of(context, options);
  if (const Status reached = supervisor->reach(); !reached) return context.refuse(reached.error());
  const auto state = supervisor->state();
  if (!state) return context.refuse(state.error());
  const bool answers = context.client().answers();
  if (context.json) {
    admin::Json json{{"platform", supervisor->name()},
                     {"file", supervisor->file().string()},
                     {"installed", state->installed},
                     {"active", state->active},
                     {"detail", state->detail},
                     {"enabled", state->enabled},
                     {"pid", nullptr},
                     {"since", nullptr},
                     {"socket", context.socket_path().string()},
                     {"answers", answers}};
    if (state->pid) json["pid"] = *state->pid;
    if (state->since) json["since"] = to_rfc3339(*state->since);
    context.show(json);
  } else {
    show_state(context, *supervisor, *state, answers);
  }
  return answers ? k_done : k_not_running;
}

int logs(const Context& context, const ServiceOptions& options) {
  const auto supervisor = supervisor_of(context, options);
  service::LogWishes wishes = options.logs;
  wishes.json = context.json;
  context.out.flush();
  const auto shown = supervisor->show_logs(wishes);
  if (!shown) return context.refuse(shown.error());
  return *shown == 0 ? k_done : k_refused;
}

using ServiceAct = int (*)(const Context& context, const ServiceOptions& options);

CLI::App* add_verb(CLI::App& service, Context& context, const std::shared_ptr<ServiceOptions>& options,
                   const char* name, const char* what, ServiceAct act) {
  CLI::App* verb = service.add_subcommand(name, what);
  verb->add_option("--platform", options->platform, "systemd or launchd; default: this system's own")
      ->check(CLI::IsMember({"systemd", "launchd"}))
      ->type_name("NAME");
  verb->callback(
      [&context, options, act] { context.action = [&context, options, act] { return act(context, *options); }; });
  return verb;
}

}  // namespace

void add_service(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("service", "Let nemod start when you log in, and again when it fails");
  group->require_subcommand(1);
  const auto options = std::make_shared<ServiceOptions>();
  CLI::App* installing = add_verb(*group, context, options, "install",
                                  "Make nemod a service of yours (systemd or launchd) and start it", install);
  installing->add_flag("--print", options->print, "Only print what would be written");
  installing->add_option("--config", options->config, "The config file that it shall read, when it is not the usual")
      ->type_name("FILE");
  installing->add_flag("--no-start", options->no_start, "Do not start it now");
  installing->footer(
      "No root is needed: the service is yours alone. To run it again changes nothing, or takes a new\n"
      "place of nemod over.\n\nExamples:\n  nemo service install --print\n  nemo service install --no-start");
  add_verb(*group, context, options, "uninstall", "Stop it and remove what install wrote", uninstall);
  add_verb(*group, context, options, "start", "Start it now", start);
  add_verb(*group, context, options, "stop", "Stop it; running calls may come to their end", stop);
  add_verb(*group, context, options, "status", "Is it installed, does it run, does nemod answer? Ends with 3 if not",
           status);
  CLI::App* showing = add_verb(*group, context, options, "logs", "What nemod has said", logs);
  showing->add_flag("-f,--follow", options->logs.follow, "Go on with what it says, until Ctrl-C");
  showing->add_option("-n,--lines", options->logs.lines, "How many lines")
      ->type_name("N")
      ->check(CLI::Range(1, k_most_lines))
      ->capture_default_str();
}

}  // namespace nemo::cli::commands
