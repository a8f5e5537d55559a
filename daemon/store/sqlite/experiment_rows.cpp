#include "daemon/store/sqlite/experiment_rows.h"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/named_value.h"
#include "daemon/store/sqlite/time_columns.h"

namespace nemo::store {
namespace {

using ledger::ExperimentSample;
using lib::sqlite::Connection;
using lib::sqlite::Failure;
using lib::sqlite::Statement;
using routing::Arm;
using routing::Experiment;
using routing::ExperimentState;
using routing::ExperimentUnit;
using Json = nlohmann::json;

std::string arms_to_json(const std::vector<Arm>& arms) {
  Json list = Json::array();
  for (const Arm& arm : arms) list.push_back({{"model", arm.model}, {"weight", arm.weight}});
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// An experiment whose arms cannot be read must not run as another one.
std::vector<Arm> arms_from_json(std::string_view json, std::string_view experiment) {
  const Json list = Json::parse(json.begin(), json.end(), nullptr, false);
  const auto is_arm = [](const Json& value) {
    return value.is_object() && value.contains("model") && value["model"].is_string() && value.contains("weight") &&
           value["weight"].is_number_integer();
  };
  std::vector<Arm> arms;
  bool readable = list.is_array();
  for (std::size_t i = 0; readable && i < list.size(); ++i) {
    readable = is_arm(list[i]);
    if (readable) arms.push_back({list[i]["model"].get<std::string>(), list[i]["weight"].get<int>()});
  }
  if (!readable) throw Failure(0, "the arms of the experiment " + std::string(experiment) + " cannot be read");
  return arms;
}

// A state that only a newer Nemo knows is one that changes no call.
ExperimentState state_in(std::string_view text) {
  for (const auto state : {ExperimentState::draft, ExperimentState::running, ExperimentState::completed}) {
    if (to_string(state) == text) return state;
  }
  return ExperimentState::paused;
}

Experiment read_experiment(const Statement& row) {
  Experiment experiment;
  experiment.name = row.text(0);
  experiment.lane = row.text(1);
  experiment.arms = arms_from_json(row.text(2), row.text(0));
  experiment.unit = row.text(3) == to_string(ExperimentUnit::request) ? ExperimentUnit::request : ExperimentUnit::seat;
  experiment.state = state_in(row.text(4));
  experiment.created_at = time_in(row, 5);
  experiment.started_at = find_time(row, 6);
  experiment.ended_at = find_time(row, 7);
  return experiment;
}

ExperimentSample read_sample(const Statement& row) {
  ExperimentSample sample;
  sample.outcome = named(row.text(1), call::Outcome::error);
  if (!row.is_null(2)) sample.ttft = Micros(row.integer(2));
  sample.latency = Micros(row.integer(3));
  sample.cost = NanoUsd{row.integer(4)};
  sample.input_tokens = row.integer(5);
  sample.output_tokens = row.integer(6);
  if (!row.is_null(7)) sample.accepted = row.integer(7) != 0;
  return sample;
}

}  // namespace

std::vector<Experiment> load_all_experiments(Connection& connection) {
  std::vector<Experiment> experiments;
  Statement rows(connection,
                 "SELECT name, lane, arms, unit, state, created_at, started_at, ended_at FROM experiment "
                 "ORDER BY created_at, name");
  while (rows.step()) experiments.push_back(read_experiment(rows));
  return experiments;
}

void insert_row(Connection& connection, const Experiment& experiment) {
  Statement(connection,
            "INSERT INTO experiment (name, lane, arms, unit, state, created_at, started_at, ended_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .run_with(experiment.name, experiment.lane, arms_to_json(experiment.arms), to_string(experiment.unit),
                to_string(experiment.state), micros_of(experiment.created_at), micros_of(experiment.started_at),
                micros_of(experiment.ended_at));
}

bool update_row(Connection& connection, const Experiment& experiment) {
  Statement(connection,
            "UPDATE experiment SET lane = ?, arms = ?, unit = ?, state = ?, created_at = ?, started_at = ?, "
            "ended_at = ? WHERE name = ?")
      .run_with(experiment.lane, arms_to_json(experiment.arms), to_string(experiment.unit), to_string(experiment.state),
                micros_of(experiment.created_at), micros_of(experiment.started_at), micros_of(experiment.ended_at),
                experiment.name);
  return connection.changes() > 0;
}

ledger::ExperimentSamples load_samples(Connection& connection, std::string_view experiment, std::size_t most) {
  ledger::ExperimentSamples found;
  std::map<std::string, std::vector<ExperimentSample>, std::less<>> by_arm;
  // The second term repeats what the partial index says, so that SQLite may use it.
  Statement rows(connection,
                 "SELECT arm, outcome, ttft, latency, cost, input_tokens, output_tokens, accepted FROM call "
                 "WHERE experiment = ? AND experiment <> '' ORDER BY at DESC, row DESC LIMIT ?");
  rows.bind_all(experiment, static_cast<std::int64_t>(most) + 1);
  for (std::size_t read = 0; rows.step(); ++read) {
    if (read == most) {
      found.complete = false;
      break;
    }
    auto arm = by_arm.find(rows.text(0));
    if (arm == by_arm.end()) arm = by_arm.try_emplace(std::string(rows.text(0))).first;
    arm->second.push_back(read_sample(rows));
  }
  for (auto& [arm, samples] : by_arm) found.arms.push_back({arm, std::move(samples)});
  return found;
}

}  // namespace nemo::store
