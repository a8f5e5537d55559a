#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "cli/commands/choose_key.h"
#include "cli/commands/commands.h"
#include "cli/commands/show_call.h"
#include "cli/context.h"
#include "cli/output/figures.h"
#include "cli/output/json_text.h"
#include "cli/output/table.h"
#include "cli/times.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Header;
using output::Style;
using output::Table;

constexpr auto k_poll_interval = std::chrono::milliseconds{300};
constexpr int k_most_at_a_poll = 10'000;  // the daemon's own bound: more calls than that in 300 ms are not expected
constexpr int k_most_rows = 10'000;

struct LogsOptions {
  admin::CallQuery query;
  std::string since;
  bool follow = false;
};

// Widths are kept even when no row needs them, so that rows that come later stand under the first ones.
Table empty_table() {
  return Table({{"TIME", Align::left, 1, 0, 14},
                {"STATUS", Align::left, 0, 0, 11},
                {"MODEL", Align::left, 0, 12, 22},
                {"VIA", Align::left, 5, 0, 9},
                {"TOOK", Align::right, 0, 0, 6},
                {"FIRST", Align::right, 3, 0, 6},
                {"IN", Align::right, 2, 0, 6},
                {"CACHED", Align::right, 6, 0, 6},
                {"OUT", Align::right, 2, 0, 6},
                {"COST", Align::right, 0, 0, 8},
                {"SEAT", Align::left, 3, 6, 8},
                {"CLIENT", Align::left, 7, 6},
                {"PROJECT", Align::left, 8, 6},
                {"ID", Align::left, 4}});
}

void add_call(Table& table, const admin::Call& call) {
  table.add({{show_short_time(call.at), Style::faint},
             {describe_status(call), style_of_status(call.status)},
             {call.model.empty() ? "-" : call.model},
             {short_surface(call.surface), Style::faint},
             {output::show_millis(call.latency_ms)},
             {call.ttft_ms ? output::show_millis(*call.ttft_ms) : "-"},
             {output::show_short_count(call.input_tokens)},
             {output::show_short_count(call.cached_tokens), Style::faint},
             {output::show_short_count(call.output_tokens)},
             {output::show_money(call.cost)},
             {call.seat},
             {call.client, Style::faint},
             {call.project, Style::faint},
             {call.id, Style::faint}});
}

void show_calls(const Context& context, const std::vector<admin::Call>& calls, Header header) {
  Table table = empty_table();
  for (const admin::Call& call : calls) add_call(table, call);
  context.out << table.draw(context.terminal.width, context.terminal.colours, header);
}

void show_lines(const Context& context, const std::vector<admin::Call>& calls) {
  for (const admin::Call& call : calls) context.out << output::one_line(call);
}

// Ends when the reader of our output has gone; a person ends it with Ctrl-C.
int follow(const Context& context, const AdminClient& client, admin::CallQuery query) {
  Header header = Header::show;
  while (true) {
    const auto calls = client.calls(query);
    if (!calls) return context.refuse(calls.error());
    if (context.json) {
      show_lines(context, *calls);
    } else if (!calls->empty() || header == Header::show) {
      show_calls(context, *calls, header);
      header = Header::hide;
    }
    context.out.flush();
    if (!context.out) return k_done;
    query.after_row = calls->empty() ? query.after_row.value_or(0) : calls->back().row;
    query.limit = k_most_at_a_poll;
    std::this_thread::sleep_for(k_poll_interval);
  }
}

// What was given for --key as the id that the ledger knows.
Result<std::string> find_key_id(const AdminClient& client, const std::string& text) {
  const auto keys = client.keys();
  if (!keys) return keys.error();
  const auto key = choose_key(*keys, text);
  if (!key) return key.error();
  return key->id;
}

int show_logs(const Context& context, const LogsOptions& options) {
  admin::CallQuery query = options.query;
  if (!options.since.empty()) {
    const auto since = parse_since(options.since, context.clock.wall());
    if (!since) return context.misused("--since: " + since.error().message);
    query.since = to_rfc3339(*since);
  }
  const AdminClient client = context.client();
  if (!query.key.empty()) {
    const auto id = find_key_id(client, query.key);
    if (!id) return context.refuse(id.error());
    query.key = *id;
  }
  if (options.follow) return follow(context, client, query);
  const auto calls = client.calls(query);
  if (!calls) return context.refuse(calls.error());
  if (context.json) return context.show(*calls);
  if (calls->empty()) {
    context.err << "No call is like that.\n";
    return k_done;
  }
  show_calls(context, *calls, Header::show);
  return k_done;
}

std::string check_status(const std::string& text) {
  for (const char* name : {"ok", "error", "cancelled", "refused"}) {
    if (text == name) return {};
  }
  if (text.size() == 3 && text.find_first_not_of("0123456789") == std::string::npos && text[0] >= '1' &&
      text[0] <= '5') {
    return {};
  }
  return "ok, error, cancelled, refused or an HTTP status such as 429 is expected, not \"" + text + "\"";
}

}  // namespace

void add_logs(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("logs", "The newest calls, one line each");
  const auto options = std::make_shared<LogsOptions>();
  command->add_option("--key", options->query.key, "Calls with this key: its id or its last four characters")
      ->type_name("KEY");
  command->add_option("--seat", options->query.seat, "Calls of this seat")->type_name("SEAT");
  command->add_option("--model", options->query.model, "Calls that this model answered")->type_name("MODEL");
  command->add_option("--status", options->query.status, "ok, error, cancelled, refused or an HTTP status")
      ->type_name("STATUS")
      ->check(check_status);
  command->add_option("--since", options->since, "Calls from then on: 1h, 2026-11-01 or RFC 3339")->type_name("WHEN");
  command->add_option("-n,--limit", options->query.limit, "How many")
      ->type_name("N")
      ->check(CLI::Range(1, k_most_rows))
      ->capture_default_str();
  command->add_flag("-f,--follow", options->follow, "Go on with calls as they end, until Ctrl-C");
  command->add_flag("--paths", options->query.paths, "Projects by the whole path of their folder, not by its name");
  command->footer(
      "With --json it prints an array; with --json -f one object per line.\n\n"
      "Examples:\n  nemo logs --status error --since 1h\n  nemo logs -f --seat alice");
  command->callback(
      [&context, options] { context.action = [&context, options] { return show_logs(context, *options); }; });
}

}  // namespace nemo::cli::commands
