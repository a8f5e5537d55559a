#include "daemon/admin/routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "daemon/admin/convert_budget.h"
#include "daemon/admin/replies.h"
#include "shared/admin/config.h"
#include "shared/admin/upstream.h"

namespace nemo::admin {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A segment of a path (RFC 3986, section 2.1); what is no escape stays as it is.
std::string decode(std::string_view segment) {
  std::string text;
  for (std::size_t at = 0; at < segment.size(); ++at) {
    const bool escaped = segment[at] == '%' && at + 2 < segment.size() && hex_digit(segment[at + 1]) >= 0 &&
                         hex_digit(segment[at + 2]) >= 0;
    if (escaped) {
      text.push_back(static_cast<char>(hex_digit(segment[at + 1]) * 16 + hex_digit(segment[at + 2])));
      at += 2;
    } else {
      text.push_back(segment[at]);
    }
  }
  return text;
}

// The parts of `path` that stand for each {} of `pattern`; nothing: another path.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  std::vector<std::string> names;
  while (true) {
    const std::size_t pattern_end = std::min(pattern.find('/', 1), pattern.size());
    const std::size_t path_end = std::min(path.find('/', 1), path.size());
    const std::string_view expected = pattern.substr(0, pattern_end);
    const std::string_view given = path.substr(0, path_end);
    if (expected == "/{}" && given.size() > 1) {
      names.push_back(decode(given.substr(1)));
    } else if (expected != given) {
      return std::nullopt;
    }
    pattern.remove_prefix(pattern_end);
    path.remove_prefix(path_end);
    if (pattern.empty() && path.empty()) return names;
    if (pattern.empty() || path.empty()) return std::nullopt;
  }
}

}  // namespace

Routes::Routes(Control& control, access::KeyStore& store, ledger::CallHistory& history, const Clock& clock)
    : m_control(control), m_store(store), m_history(history), m_clock(clock) {}

const std::vector<Routes::Route>& Routes::table() {
  static const std::vector<Route> routes{{"GET", "/status", &Routes::get_status},
                                         {"GET", "/models", &Routes::get_models},
                                         {"GET", "/config", &Routes::get_config},
                                         {"POST", "/config/reload", &Routes::reload_config},
                                         {"POST", "/lanes/{}", &Routes::set_lane},
                                         {"GET", "/keys", &Routes::list_keys},
                                         {"POST", "/keys", &Routes::create_key},
                                         {"PATCH", "/keys/{}", &Routes::change_key},
                                         {"DELETE", "/keys/{}", &Routes::revoke_key},
                                         {"POST", "/keys/{}/rotate", &Routes::rotate_key},
                                         {"GET", "/teams", &Routes::list_teams},
                                         {"POST", "/teams", &Routes::create_team},
                                         {"PATCH", "/teams/{}", &Routes::change_team},
                                         {"DELETE", "/teams/{}", &Routes::delete_team},
                                         {"GET", "/seats", &Routes::list_seats},
                                         {"PATCH", "/seats/{}", &Routes::change_seat},
                                         {"GET", "/budgets", &Routes::list_budgets},
                                         {"GET", "/unsettled", &Routes::list_unsettled},
                                         {"POST", "/unsettled/{}/release", &Routes::release_unsettled},
                                         {"GET", "/accuracy", &Routes::list_accuracy},
                                         {"GET", "/deployments", &Routes::list_deployments},
                                         {"POST", "/route/explain", &Routes::explain_route},
                                         {"GET", "/experiments", &Routes::list_experiments},
                                         {"POST", "/experiments", &Routes::create_experiment},
                                         {"POST", "/experiments/{}/start", &Routes::start_experiment},
                                         {"POST", "/experiments/{}/pause", &Routes::pause_experiment},
                                         {"POST", "/experiments/{}/stop", &Routes::stop_experiment},
                                         {"GET", "/experiments/{}/report", &Routes::report_experiment},
                                         {"GET", "/calls", &Routes::list_calls},
                                         {"GET", "/calls/{}", &Routes::tell_call},
                                         {"GET", "/usage", &Routes::sum_usage},
                                         {"GET", "/usage/accepted", &Routes::sum_acceptance},
                                         {"POST", "/upstreams/{}/key", &Routes::login},
                                         {"DELETE", "/upstreams/{}/key", &Routes::logout},
                                         {"POST", "/upstreams/{}/probe", &Routes::probe}};
  return routes;
}

AdminReply Routes::answer(const AdminRequest& request) {
  bool path_known = false;
  for (const Route& route : table()) {
    const auto names = match(route.pattern, request.path);
    if (!names) continue;
    if (request.method == route.method) return (this->*route.handler)(request, *names);
    path_known = true;
  }
  if (path_known) return reply_with(fail(ErrorKind::method_not_allowed, request.path + " does not take this method"));
  return reply_with(fail(ErrorKind::path_not_found, "nothing is at " + request.path));
}

AdminReply Routes::get_status(const AdminRequest& /*request*/, const Names& /*names*/) {
  DaemonStatus status = m_control.status();
  const auto directory = m_store.load_directory();
  const Labels labels(directory ? *directory : access::Directory{});  // ids will do when the store has trouble
  for (const budget::Standing& standing : m_control.standings()) {
    if (Budget budget = to_budget(standing, labels); budget.capped) status.capped.push_back(std::move(budget));
  }
  for (const budget::Alert& alert : m_control.alerts()) status.alerts.push_back(to_alert(alert, labels));
  status.unsettled = static_cast<std::int64_t>(m_control.unsettled().size());
  return reply(status);
}

AdminReply Routes::get_models(const AdminRequest& /*request*/, const Names& /*names*/) {
  return reply(m_control.models());
}

AdminReply Routes::get_config(const AdminRequest& /*request*/, const Names& /*names*/) {
  return reply(ConfigText{m_control.config_text()});
}

AdminReply Routes::reload_config(const AdminRequest& /*request*/, const Names& /*names*/) {
  auto waiting = m_control.reload();
  if (!waiting) return reply_with(waiting.error());
  return reply(Reloaded{std::move(waiting).value()});
}

AdminReply Routes::set_lane(const AdminRequest& request, const Names& names) {
  const auto change = read_body<LaneChange>(request.body);
  if (!change) return reply_with(change.error());
  if (change->model.empty()) return reply_with(fail(ErrorKind::invalid_request, "model is missing", "model"));
  return reply_to(m_control.set_lane_model(names.front(), change->model));
}

Result<Routes::Stored> Routes::change_directory(const Change& change) {
  const std::lock_guard lock(m_change);
  const auto before = m_store.load_directory();
  if (!before) return before.error();
  if (const auto changed = change(*before); !changed) return changed.error();
  Stored stored;
  if (const auto taken = m_control.directory_changed(); !taken) {
    stored.trouble = "it is stored, but it is not in force before the daemon starts again: " + taken.error().message;
  }
  if (auto now = m_store.load_directory()) stored.now = std::move(now).value();
  return stored;
}

AdminReply Routes::list_calls(const AdminRequest& request, const Names& /*names*/) {
  const auto filter = to_call_filter(request.parameters);
  if (!filter) return reply_with(filter.error());
  const auto calls = m_history.find_calls(*filter);
  if (!calls) return reply_with(calls.error());
  const Paths paths = to_paths(request.parameters);
  Json list = Json::array();
  for (const ledger::CallRow& row : *calls) list.push_back(to_call(row.row, row.record, paths));
  return reply(list);
}

AdminReply Routes::tell_call(const AdminRequest& request, const Names& names) {
  const auto found = m_history.find_call(names.front());
  if (!found) return reply_with(found.error());
  if (!*found) return reply_with(fail(ErrorKind::not_found, "no call has the id " + names.front()));
  return reply(to_story(**found, to_paths(request.parameters)));
}

AdminReply Routes::sum_usage(const AdminRequest& request, const Names& /*names*/) {
  const auto query = to_usage_query(request.parameters);
  if (!query) return reply_with(query.error());
  auto rows = m_history.usage(*query);
  if (!rows) return reply_with(rows.error());
  const bool by_name = query->by == ledger::UsageGroup::project && to_paths(request.parameters) == Paths::names;
  if (by_name) *rows = by_project_name(*rows);
  Json list = Json::array();
  for (const ledger::UsageRow& row : *rows) list.push_back(to_usage_row(row));
  return reply(list);
}

AdminReply Routes::sum_acceptance(const AdminRequest& request, const Names& /*names*/) {
  const auto query = to_usage_query(request.parameters);
  if (!query) return reply_with(query.error());
  auto rows = m_history.acceptance(*query);
  if (!rows) return reply_with(rows.error());
  const bool by_name = query->by == ledger::UsageGroup::project && to_paths(request.parameters) == Paths::names;
  if (by_name) *rows = by_project_name(*rows);
  Json list = Json::array();
  for (const ledger::AcceptanceRow& row : *rows) list.push_back(to_acceptance_row(row));
  return reply(list);
}

AdminReply Routes::login(const AdminRequest& request, const Names& names) {
  const auto given = read_body<UpstreamKey>(request.body);
  if (!given) return reply_with(given.error());
  if (given->key.empty() || has_control_character(given->key.expose())) {
    return reply_with(fail(ErrorKind::invalid_request, "the key is empty or holds control characters", "key"));
  }
  return reply_to(m_control.login(names.front(), given->key));
}

AdminReply Routes::logout(const AdminRequest& /*request*/, const Names& names) {
  return reply_to(m_control.logout(names.front()));
}

AdminReply Routes::probe(const AdminRequest& /*request*/, const Names& names) {
  const auto models = m_control.probe(names.front());
  if (!models) return reply_with(models.error());
  return reply(ProbeReply{*models});
}

}  // namespace nemo::admin
