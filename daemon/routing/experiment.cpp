#include "daemon/routing/experiment.h"

#include <algorithm>
#include <set>

#include "daemon/routing/draws.h"

namespace nemo::routing {
namespace {

constexpr std::size_t k_longest_name = 64;  // it is sent in a header with every answer

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= k_longest_name && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::int64_t total_weight(const Experiment& experiment) {
  std::int64_t total = 0;
  for (const Arm& arm : experiment.arms) total += arm.weight;
  return total;
}

// FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
std::uint64_t add_to_hash(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

std::string_view to_string(ExperimentState state) {
  switch (state) {
    case ExperimentState::draft:
      return "draft";
    case ExperimentState::running:
      return "running";
    case ExperimentState::paused:
      return "paused";
    case ExperimentState::completed:
      return "completed";
  }
  return "draft";
}

std::string_view to_string(ExperimentUnit unit) {
  return unit == ExperimentUnit::request ? "request" : "seat";
}

Status check(const Experiment& experiment) {
  if (!is_name(experiment.name)) {
    return fail(ErrorKind::invalid_request,
                "An experiment's name has at most 64 of a-z, 0-9, - and _; \"" + experiment.name + "\" is not one.",
                "name");
  }
  if (experiment.lane.empty()) {
    return fail(ErrorKind::invalid_request, "The experiment \"" + experiment.name + "\" names no lane.", "lane");
  }
  if (experiment.arms.empty()) {
    return fail(ErrorKind::invalid_request,
                "The experiment \"" + experiment.name + "\" has no arms: name models and weights, such as a=50,b=50.",
                "arms");
  }
  std::set<std::string_view> seen;
  for (const Arm& arm : experiment.arms) {
    if (arm.model.empty()) return fail(ErrorKind::invalid_request, "An arm names no model.", "arms");
    if (!seen.insert(arm.model).second) {
      return fail(ErrorKind::invalid_request, "The model \"" + arm.model + "\" is two arms: name it once.", "arms");
    }
    if (arm.weight < 0) {
      return fail(ErrorKind::invalid_request,
                  "The weight of \"" + arm.model + "\" is below 0: 0 is none, more is more.", "arms");
    }
  }
  if (total_weight(experiment) == 0) {
    return fail(ErrorKind::invalid_request, "The weights add up to 0, so no arm would be taken: raise one.", "arms");
  }
  return Done{};
}

Status check_transition(ExperimentState from, ExperimentState to) {
  const bool begins =
      to == ExperimentState::running && (from == ExperimentState::draft || from == ExperimentState::paused);
  const bool pauses = to == ExperimentState::paused && from == ExperimentState::running;
  const bool ends =
      to == ExperimentState::completed && (from == ExperimentState::running || from == ExperimentState::paused);
  if (begins || pauses || ends) return Done{};
  std::string message = "The experiment is ";
  message.append(to_string(from)).append(from == to ? " already" : " and cannot become ");
  if (from != to) message.append(to_string(to));
  return fail(ErrorKind::conflict, message + ".");
}

const Arm& arm_for(const Experiment& experiment, std::string_view unit) {
  std::uint64_t hash = add_to_hash(0xcbf29ce484222325ULL, experiment.name);
  hash = add_to_hash(add_to_hash(hash, std::string_view("\0", 1)), unit);
  auto at = static_cast<std::int64_t>(mixed(hash) %
                                      static_cast<std::uint64_t>(std::max<std::int64_t>(1, total_weight(experiment))));
  for (const Arm& arm : experiment.arms) {
    if (at < arm.weight) return arm;
    at -= arm.weight;
  }
  return experiment.arms.back();  // only of an experiment that did not pass check()
}

}  // namespace nemo::routing
