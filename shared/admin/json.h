// The JSON that the daemon and the command line exchange. Objects keep the order of their fields, so that what people
// read with --json has the order of the contract. Every struct of this folder has to_json and from_json: a field that
// is missing or null keeps its default, one of the wrong type throws nlohmann::json::exception.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace nemo::admin {

using Json = nlohmann::ordered_json;

}  // namespace nemo::admin
