// Who is calling: what a valid key stands for.
#pragma once

#include <string>
#include <vector>

#include "daemon/call/scope.h"

namespace nemo::call {

struct Principal {
  std::string key;   // the key's public id ("key_…"), empty for the keyless local seat
  std::string seat;  // "local" without a key
  std::string team;
  std::vector<std::string> models;  // empty: every model
  Scopes scopes;                    // those of the three that have a name: what the call is paid by and limited by
  std::string fallback_model;       // where a call goes that the budget refuses; empty: nowhere
};

}  // namespace nemo::call
