// Owns: experiments on a lane: which arm a call belongs to. Must not know: where they are kept, what calls cost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::routing {

struct Arm {
  std::string model;  // a catalog id, which is also the arm's name
  int weight = 1;     // its share of all weights; 0: none for now
  friend bool operator==(const Arm&, const Arm&) = default;
};

enum class ExperimentState : std::uint8_t { draft, running, paused, completed };
enum class ExperimentUnit : std::uint8_t { seat, request };  // what always gets the same arm

std::string_view to_string(ExperimentState state);
std::string_view to_string(ExperimentUnit unit);

struct Experiment {
  std::string name;  // a-z, 0-9, - and _
  std::string lane;
  std::vector<Arm> arms;
  ExperimentUnit unit = ExperimentUnit::seat;
  ExperimentState state = ExperimentState::draft;
  WallTime created_at;
  std::optional<WallTime> started_at;  // the first time
  std::optional<WallTime> ended_at;    // completed
};

// invalid_request with what to change: no arms, a model twice, weights below 0 or that add up to 0, a bad name.
Status check(const Experiment& experiment);
// draft -> running; running -> paused | completed; paused -> running | completed. conflict for any other.
Status check_transition(ExperimentState from, ExperimentState to);

// The same unit (a seat's name or a request's id) always gets the same arm of an experiment while its arms stay as they
// are. `experiment` has passed check().
const Arm& arm_for(const Experiment& experiment, std::string_view unit);

// Port: where experiments are kept. Any thread.
class ExperimentStore {
 public:
  virtual ~ExperimentStore() = default;
  virtual Result<std::vector<Experiment>> load_experiments() = 0;
  virtual Status add_experiment(const Experiment& experiment) = 0;     // conflict: the name is taken
  virtual Status update_experiment(const Experiment& experiment) = 0;  // by name; not_found
};

}  // namespace nemo::routing
