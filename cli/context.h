// What every command needs: the global flags, the streams, the daemon.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>

#include "cli/admin_client.h"
#include "cli/terminal.h"
#include "shared/admin/json.h"
#include "shared/clock.h"
#include "shared/paths.h"
#include "shared/result.h"

namespace nemo::cli {

// Exit statuses of the contract.
constexpr int k_done = 0;
constexpr int k_refused = 1;
constexpr int k_usage = 2;
constexpr int k_not_running = 3;

// Where the daemon listens unless its configuration says otherwise.
constexpr const char* k_usual_url = "http://127.0.0.1:6366";

// A command registers what it does while the arguments are parsed; main runs it once they all are. One thread.
struct Context {
  std::ostream& out;
  std::ostream& err;
  Environment env;
  const Clock& clock;
  Terminal terminal;

  std::string socket = {};  // --socket
  bool json = false;        // --json
  std::function<int()> action = {};

  std::filesystem::path socket_path() const;
  AdminClient client() const;

  // What is said with --json: `json` on standard output. Returns k_done.
  int show(const admin::Json& value) const;
  // Says why not on standard error. Returns k_refused.
  int refuse(const Error& error) const;
  // Says what was wrong with the arguments on standard error. Returns k_usage.
  int misused(const std::string& why) const;
  std::string styled(std::string_view text, output::Style style) const;
};

}  // namespace nemo::cli
