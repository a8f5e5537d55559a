// What each path of the admin edge does. Knows no socket.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/access/key_store.h"
#include "daemon/admin/control.h"
#include "daemon/admin/convert.h"
#include "daemon/ledger/request_log.h"
#include "shared/admin/key.h"
#include "shared/clock.h"

namespace nemo::admin {

struct AdminRequest {
  std::string method;
  std::string path;  // as it was sent, without the query: each segment is percent-encoded
  Parameters parameters;
  std::string body;
};

struct AdminReply {
  int status = 200;
  std::string body;  // JSON
};

AdminReply reply_with(const Error& error);

// Any thread. Borrows what it is made of.
class Routes {
 public:
  Routes(Control& control, access::KeyStore& store, ledger::CallHistory& history, const Clock& clock);

  // path_not_found and method_not_allowed for what is not in its table. Throws only on bugs.
  AdminReply answer(const AdminRequest& request);

 private:
  using Names = std::vector<std::string>;  // what stood for each {} of the path, decoded
  using Handler = AdminReply (Routes::*)(const AdminRequest&, const Names&);
  struct Route {
    const char* method;
    const char* pattern;
    Handler handler;
  };
  static const std::vector<Route>& table();

  // routes.cpp
  AdminReply get_status(const AdminRequest& request, const Names& names);
  AdminReply get_models(const AdminRequest& request, const Names& names);
  AdminReply get_config(const AdminRequest& request, const Names& names);
  AdminReply reload_config(const AdminRequest& request, const Names& names);
  AdminReply set_lane(const AdminRequest& request, const Names& names);
  AdminReply list_calls(const AdminRequest& request, const Names& names);
  AdminReply tell_call(const AdminRequest& request, const Names& names);
  AdminReply sum_usage(const AdminRequest& request, const Names& names);
  AdminReply sum_acceptance(const AdminRequest& request, const Names& names);
  AdminReply login(const AdminRequest& request, const Names& names);
  AdminReply logout(const AdminRequest& request, const Names& names);
  AdminReply probe(const AdminRequest& request, const Names& names);
  // key_routes.cpp
  AdminReply list_keys(const AdminRequest& request, const Names& names);
  AdminReply create_key(const AdminRequest& request, const Names& names);
  AdminReply change_key(const AdminRequest& request, const Names& names);
  AdminReply rotate_key(const AdminRequest& request, const Names& names);
  AdminReply revoke_key(const AdminRequest& request, const Names& names);
  // team_routes.cpp
  AdminReply list_teams(const AdminRequest& request, const Names& names);
  AdminReply create_team(const AdminRequest& request, const Names& names);
  AdminReply change_team(const AdminRequest& request, const Names& names);
  AdminReply delete_team(const AdminRequest& request, const Names& names);
  AdminReply list_seats(const AdminRequest& request, const Names& names);
  AdminReply change_seat(const AdminRequest& request, const Names& names);
  // budget_routes.cpp
  AdminReply list_budgets(const AdminRequest& request, const Names& names);
  AdminReply list_unsettled(const AdminRequest& request, const Names& names);
  AdminReply release_unsettled(const AdminRequest& request, const Names& names);
  AdminReply list_accuracy(const AdminRequest& request, const Names& names);
  // routing_routes.cpp
  AdminReply list_deployments(const AdminRequest& request, const Names& names);
  AdminReply explain_route(const AdminRequest& request, const Names& names);
  AdminReply list_experiments(const AdminRequest& request, const Names& names);
  AdminReply create_experiment(const AdminRequest& request, const Names& names);
  AdminReply start_experiment(const AdminRequest& request, const Names& names);
  AdminReply pause_experiment(const AdminRequest& request, const Names& names);
  AdminReply stop_experiment(const AdminRequest& request, const Names& names);
  AdminReply report_experiment(const AdminRequest& request, const Names& names);

  // What became of a change that the store has taken.
  struct Stored {
    access::Directory now;
    std::string trouble;  // why it is not in force; empty: it is
  };
  using Change = std::function<Status(const access::Directory& before)>;
  // One change at a time: looks, lets `change` write to the store, and has the daemon take it up.
  Result<Stored> change_directory(const Change& change);
  AdminReply reply_with_key(const Result<Stored>& stored, const std::string& id);
  AdminReply reply_with_secret(const Result<Stored>& stored, const std::string& id, const Secret& secret, int status);
  AdminReply reply_with_team(const Result<Stored>& stored, const std::string& name, int status = 200);

  // Its lane, its models and what keys may use, as they are now.
  Status check_runnable(const routing::Experiment& experiment);
  AdminReply change_experiment(const std::string& name, routing::ExperimentState state);

  Control& m_control;
  access::KeyStore& m_store;
  ledger::CallHistory& m_history;
  const Clock& m_clock;
  // Held from a change in the store until the daemon has it, so that two changes cannot leave the older state in force.
  std::mutex m_change;
};

}  // namespace nemo::admin
