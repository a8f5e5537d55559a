// Finding the key that a person means.
#pragma once

#include <string>
#include <vector>

#include "shared/admin/key.h"
#include "shared/result.h"

namespace nemo::cli::commands {

// `text` is an id, the beginning of one, or the end of a key as its hint shows it ("…abcd" or "abcd"). not_found: none;
// conflict: several, and the message names them.
Result<admin::Key> choose_key(const std::vector<admin::Key>& keys, const std::string& text);

}  // namespace nemo::cli::commands
