#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
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
using output::Style;
using output::Table;

struct ModelsOptions {
  std::string tag;
  std::string lane;
};

bool holds(const std::vector<std::string>& list, const std::string& word) {
  return word.empty() || std::find(list.begin(), list.end(), word) != list.end();
}

std::string price(const std::optional<std::string>& dollars) {
  return dollars ? output::show_price(*dollars) : "-";
}

std::string tokens(std::int64_t count) {
  return count == 0 ? "-" : output::show_short_count(count);
}

Table table_of(const std::vector<admin::Model>& models) {
  Table table({{"MODEL", Align::left},
               {"LANES", Align::left, 1},
               {"CONTEXT", Align::right, 2},
               {"IN $/M", Align::right, 1},
               {"CACHED", Align::right, 4},
               {"OUT $/M", Align::right, 1},
               {"UPSTREAMS", Align::left, 3, 10},
               {"TAGS", Align::left, 5, 10},
               {"CAN", Align::left, 6, 10},
               {"NOTE", Align::left, 7}});
  for (const admin::Model& model : models) {
    std::string note = model.in_catalog ? "" : "not in the catalog";
    if (!model.deprecated_since.empty()) note = "deprecated since " + model.deprecated_since;
    table.add({{model.id, model.upstreams.empty() ? Style::faint : Style::plain},
               {output::join(model.lanes, ","), Style::accent},
               {tokens(model.context_window)},
               {price(model.input_price)},
               {price(model.cached_input_price)},
               {price(model.output_price)},
               {output::join(model.upstreams, ",")},
               {output::join(model.tags, ","), Style::faint},
               {output::join(model.capabilities, ","), Style::faint},
               {note, Style::warning}});
  }
  return table;
}

int show_models(const Context& context, const ModelsOptions& options) {
  auto models = context.client().models();
  if (!models) return context.refuse(models.error());
  std::erase_if(*models, [&options](const admin::Model& model) {
    return !holds(model.tags, options.tag) || !holds(model.lanes, options.lane);
  });
  if (context.json) return context.show(*models);
  if (models->empty()) {
    context.err << "No model is like that.\n";
    return k_done;
  }
  context.out << table_of(*models).draw(context.terminal.width, context.terminal.colours);
  return k_done;
}

int set_model(const Context& context, const std::string& lane, const std::string& model) {
  if (const auto set = context.client().set_lane_model(lane, model); !set) return context.refuse(set.error());
  if (context.json) return context.show({{"lane", lane}, {"model", model}});
  context.out << "The " << context.styled(lane, Style::accent) << " lane now uses "
              << context.styled(model, Style::strong) << ".\n";
  return k_done;
}

}  // namespace

void add_models(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("models", "The models that callers may name, with prices and who serves them");
  const auto options = std::make_shared<ModelsOptions>();
  command->add_option("--tag", options->tag, "Only models with this tag")->type_name("TAG");
  command->add_option("--lane", options->lane, "Only the model of this lane")->type_name("LANE");
  command->footer("Prices are dollars per million tokens.\n\nExample:\n  nemo models --tag code");
  command->callback(
      [&context, options] { context.action = [&context, options] { return show_models(context, *options); }; });
}

void add_set_model(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("set-model", "Choose the model of a lane");
  const auto lane = std::make_shared<std::string>();
  const auto model = std::make_shared<std::string>();
  command->add_option("lane", *lane, "completion or reasoning")->required()->type_name("LANE");
  command->add_option("model", *model, "A model of \"nemo models\"")->required()->type_name("MODEL");
  command->footer(
      "It is written into the config file and in force for the next call.\n\n"
      "Example:\n  nemo set-model completion gemini-2.5-flash-lite");
  command->callback([&context, lane, model] {
    context.action = [&context, lane, model] { return set_model(context, *lane, *model); };
  });
}

}  // namespace nemo::cli::commands
