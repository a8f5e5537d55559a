#include "cli/editors/client.h"

#include <strings.h>

#include <algorithm>

#include "cli/editors/client_families.h"

namespace nemo::cli::editors {
namespace {

std::vector<Client> gather() {
  std::vector<Client> all;
  for (auto* family : {desktop_clients, vscode_clients, terminal_clients, vim_clients, other_clients}) {
    for (Client& client : family()) all.push_back(std::move(client));
  }
  return all;
}

bool is_same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

const std::vector<Client>& all_clients() {
  static const std::vector<Client> k_all = gather();
  return k_all;
}

const Client* find_client(std::string_view name) {
  const auto& all = all_clients();
  const auto found = std::find_if(all.begin(), all.end(), [name](const Client& client) {
    return is_same(client.name, name) || is_same(client.title, name);
  });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace nemo::cli::editors
