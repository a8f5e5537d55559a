// What each path of the admin edge does. Knows no socket.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "daemon/access/key_book.h"
#include "daemon/access/key_store.h"
#include "daemon/admin/control.h"
#include "daemon/admin/convert.h"
#include "daemon/ledger/request_log.h"
#include "shared/clock.h"

namespace nemo::admin {

struct AdminRequest {
  std::string method;
  std::string path;  // decoded, without the query
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
  Routes(Control& control, access::KeyBook& book, access::KeyStore& store, ledger::CallHistory& history,
         const Clock& clock);

  // path_not_found and method_not_allowed for what is not in its table. Throws only on bugs.
  AdminReply answer(const AdminRequest& request);

 private:
  using Names = std::vector<std::string>;  // what stood for each {} of the path
  using Handler = AdminReply (Routes::*)(const AdminRequest&, const Names&);
  struct Route {
    const char* method;
    const char* pattern;
    Handler handler;
  };
  static const std::vector<Route>& table();

  AdminReply get_status(const AdminRequest& request, const Names& names);
  AdminReply get_models(const AdminRequest& request, const Names& names);
  AdminReply get_config(const AdminRequest& request, const Names& names);
  AdminReply reload_config(const AdminRequest& request, const Names& names);
  AdminReply set_lane(const AdminRequest& request, const Names& names);
  AdminReply list_keys(const AdminRequest& request, const Names& names);
  AdminReply create_key(const AdminRequest& request, const Names& names);
  AdminReply revoke_key(const AdminRequest& request, const Names& names);
  AdminReply list_calls(const AdminRequest& request, const Names& names);
  AdminReply tell_call(const AdminRequest& request, const Names& names);
  AdminReply sum_usage(const AdminRequest& request, const Names& names);
  AdminReply login(const AdminRequest& request, const Names& names);
  AdminReply logout(const AdminRequest& request, const Names& names);
  AdminReply probe(const AdminRequest& request, const Names& names);

  Status reload_book();

  Control& m_control;
  access::KeyBook& m_book;
  access::KeyStore& m_store;
  ledger::CallHistory& m_history;
  const Clock& m_clock;
  // Held from a change in the store until the book has it, so that two changes cannot leave the older state in force.
  std::mutex m_key_change;
};

}  // namespace nemo::admin
