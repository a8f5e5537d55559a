// Which editors and assistants are on this machine, and where they point.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/editors/client.h"
#include "cli/editors/connection.h"
#include "cli/editors/settings_edit.h"

namespace nemo::cli::editors {

struct Finding {
  const Client* client = nullptr;
  std::string found;  // the program or folder that shows it is here; empty: it is not
  Standing standing = Standing::unknown;
  std::string file = {};   // that was looked into, if it has one
  std::string fault = {};  // why that could not be read
  std::optional<Connection> connection = {};

  bool is_of_interest() const { return !found.empty() || connection || standing == Standing::here; }
};

// Every client, in their order. Reads files, changes nothing.
std::vector<Finding> survey(const Places& places, const std::string& daemon_url);

}  // namespace nemo::cli::editors
