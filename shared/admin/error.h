// {"error":{"code","message"}}: how the admin edge says no.
#pragma once

#include "shared/admin/json.h"
#include "shared/result.h"

namespace nemo::admin {

// The code is the contract's (code_of); an unknown one is read as internal.
Json error_to_json(const Error& error);
Error error_from_json(const Json& json);

}  // namespace nemo::admin
