#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/output/figures.h"
#include "cli/output/table.h"
#include "cli/output/text.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Cell;
using output::Column;
using output::Style;
using output::Table;

// "cooling 12s": a part of a second that is left is still a wait.
Cell health_of(const admin::Deployment& deployment) {
  std::string text = deployment.health;
  if (deployment.ready_in_s) {
    text += " " + output::show_seconds(static_cast<std::int64_t>(std::ceil(*deployment.ready_in_s)));
  }
  if (deployment.health == "healthy") return {text, Style::good};
  return {text, deployment.health == "half-open" ? Style::warning : Style::bad};
}

std::string load_of(const admin::Deployment& deployment) {
  const std::string calls = output::show_count(deployment.calls_this_minute);
  return deployment.rpm ? calls + " of " + output::show_count(*deployment.rpm) : calls;
}

const admin::LaneSpeed* find_lane(const admin::Deployment& deployment, const std::string& lane) {
  const auto found = std::find_if(deployment.lanes.begin(), deployment.lanes.end(),
                                  [&lane](const admin::LaneSpeed& speed) { return speed.lane == lane; });
  return found == deployment.lanes.end() ? nullptr : &*found;
}

// "23.0ms, 4s ago"
Cell speed_of(const admin::Deployment& deployment, const std::string& lane) {
  const admin::LaneSpeed* speed = find_lane(deployment, lane);
  if (speed == nullptr || !speed->ttft_ms) return {};
  std::string text = output::show_millis(*speed->ttft_ms);
  if (speed->measured_s_ago) text += ", " + output::show_seconds(*speed->measured_s_ago) + " ago";
  return {text};
}

std::vector<std::string> lanes_of(const std::vector<admin::Deployment>& deployments) {
  std::vector<std::string> lanes;
  for (const admin::LaneSpeed& speed : deployments.front().lanes) lanes.push_back(speed.lane);
  return lanes;
}

std::string title_of(const std::string& lane) {
  std::string title = "TTFT " + lane;
  for (char& c : title) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return title;
}

void show_table(const Context& context, const std::vector<admin::Deployment>& deployments) {
  const std::vector<std::string> lanes = lanes_of(deployments);
  std::vector<Column> columns{{"DEPLOYMENT", Align::left},
                              {"HEALTH", Align::left},
                              {"LAST TROUBLE", Align::left, 3},
                              {"IN FLIGHT", Align::right, 1},
                              {"CALLS/MIN", Align::right, 2}};
  for (const std::string& lane : lanes) columns.push_back({title_of(lane), Align::right, 2});
  columns.insert(columns.end(), {{"ORDER", Align::right, 4}, {"WEIGHT", Align::right, 5}, {"TAGS", Align::left, 6}});
  Table table(columns);
  for (const admin::Deployment& one : deployments) {
    std::vector<Cell> cells{{one.deployment, Style::accent},
                            health_of(one),
                            {one.last_trouble, Style::faint},
                            {output::show_count(one.in_flight)},
                            {load_of(one)}};
    for (const std::string& lane : lanes) cells.push_back(speed_of(one, lane));
    cells.insert(cells.end(),
                 {{std::to_string(one.order)}, {std::to_string(one.weight)}, {output::join(one.tags, ",")}});
    table.add(std::move(cells));
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours);
}

int list_deployments(const Context& context) {
  const auto deployments = context.client().deployments();
  if (!deployments) return context.refuse(deployments.error());
  if (context.json) return context.show(*deployments);
  if (deployments->empty()) {
    context.err << "There is no deployment: no upstream serves a model yet; see: nemo doctor\n";
    return k_done;
  }
  show_table(context, *deployments);
  return k_done;
}

}  // namespace

void add_deployments(CLI::App& app, Context& context) {
  CLI::App* command =
      app.add_subcommand("deployments", "Where models are served: health, load and time to first token");
  command->footer(
      "Cooling: it failed too often; tried again when the time is over. Rate-limited: it said when to come back.\n"
      "Half-open: the next call tries it. TTFT is the time to the first token of streams, a decaying average.");
  command->callback([&context] { context.action = [&context] { return list_deployments(context); }; });
}

}  // namespace nemo::cli::commands
