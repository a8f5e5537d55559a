// Asks a whole daemon to fill holes, through each surface of each kind of upstream, and looks at both ends.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/eval_fim/holes.h"

namespace nemo::eval {

struct Score {
  std::string surface;
  std::string upstream;
  std::size_t asked = 0;
  std::size_t reached = 0;   // the model was given exactly the prefix and the suffix
  std::size_t returned = 0;  // the client was given exactly what belongs into the hole
  std::string first_miss = {};
};

std::vector<Score> evaluate(const std::vector<Hole>& holes);

}  // namespace nemo::eval
