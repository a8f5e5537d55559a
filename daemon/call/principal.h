// Who is calling: what a valid key stands for.
#pragma once

#include <string>
#include <vector>

namespace nemo::call {

struct Principal {
  std::string key;   // the key's public id ("key_…"), empty for the keyless local seat
  std::string seat;  // "local" without a key
  std::string team;
  std::vector<std::string> models;  // empty: every model
};

}  // namespace nemo::call
