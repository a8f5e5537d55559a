// Keys as people see them.
#pragma once

#include <string>
#include <vector>

#include "shared/admin/key.h"

namespace nemo::cli {

struct Context;

namespace commands {

void show_keys(const Context& context, const std::vector<admin::Key>& keys);
void show_key(const Context& context, const admin::Key& key);
// The secret itself, once, with what an editor or a shell needs. `url` is the daemon's, if it is known.
void show_secret(const Context& context, const admin::CreatedKey& created, const std::string& url);

}  // namespace commands
}  // namespace nemo::cli
