#include "daemon/admin/routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "shared/admin/config.h"
#include "shared/admin/error.h"
#include "shared/admin/timestamp.h"
#include "shared/admin/upstream.h"

namespace nemo::admin {
namespace {

constexpr std::size_t k_longest_name = 128;  // of a seat or a team: fits a table and an index

// Names may hold bytes that are not UTF-8 (they came from callers); those must not keep the others from being shown.
std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

AdminReply reply(const Json& json, int status = 200) {
  return {status, to_text(json)};
}

AdminReply reply_to(const Status& status) {
  return status.ok() ? AdminReply{200, "{}"} : reply_with(status.error());
}

template <typename T>
Result<T> read_body(const std::string& body) {
  try {
    return Json::parse(body).get<T>();
  } catch (const Json::exception&) {
    // The parser's own message quotes the input, which may hold a key.
    return fail(ErrorKind::invalid_request, "the request's body is not the JSON that this path takes");
  }
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
      names.emplace_back(given.substr(1));
    } else if (expected != given) {
      return std::nullopt;
    }
    pattern.remove_prefix(pattern_end);
    path.remove_prefix(path_end);
    if (pattern.empty() && path.empty()) return names;
    if (pattern.empty() || path.empty()) return std::nullopt;
  }
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Status check_name(const std::string& name, const char* field) {
  if (name.size() > k_longest_name || has_control_character(name)) {
    return fail(ErrorKind::invalid_request,
                std::string(field) + " takes at most " + std::to_string(k_longest_name) + " bytes of printable text",
                field);
  }
  return Done{};
}

Result<std::optional<WallTime>> check_expiry(const KeyRequest& request, WallTime now) {
  if (!request.expires_at) return std::optional<WallTime>{};
  const auto time = parse_rfc3339(*request.expires_at);
  if (!time) return time.error();
  if (*time <= now) return fail(ErrorKind::invalid_request, "expires_at has passed already", "expires_at");
  return std::optional{*time};
}

Status check_key_request(const KeyRequest& request) {
  if (request.seat.empty()) return fail(ErrorKind::invalid_request, "a key needs a seat", "seat");
  if (const auto seat = check_name(request.seat, "seat"); !seat) return seat;
  if (const auto team = check_name(request.team, "team"); !team) return team;
  for (const std::string& model : request.models) {
    if (model.empty()) return fail(ErrorKind::invalid_request, "models holds an empty name", "models");
    if (const auto name = check_name(model, "models"); !name) return name;
  }
  return Done{};
}

}  // namespace

AdminReply reply_with(const Error& error) {
  return reply(error_to_json(error), error.status());
}

Routes::Routes(Control& control, access::KeyBook& book, access::KeyStore& store, ledger::CallHistory& history,
               const Clock& clock)
    : m_control(control), m_book(book), m_store(store), m_history(history), m_clock(clock) {}

const std::vector<Routes::Route>& Routes::table() {
  static const std::vector<Route> routes{{"GET", "/status", &Routes::get_status},
                                         {"GET", "/models", &Routes::get_models},
                                         {"GET", "/config", &Routes::get_config},
                                         {"POST", "/config/reload", &Routes::reload_config},
                                         {"POST", "/lanes/{}", &Routes::set_lane},
                                         {"GET", "/keys", &Routes::list_keys},
                                         {"POST", "/keys", &Routes::create_key},
                                         {"DELETE", "/keys/{}", &Routes::revoke_key},
                                         {"GET", "/calls", &Routes::list_calls},
                                         {"GET", "/calls/{}", &Routes::tell_call},
                                         {"GET", "/usage", &Routes::sum_usage},
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
  return reply(m_control.status());
}

AdminReply Routes::get_models(const AdminRequest& /*request*/, const Names& /*names*/) {
  return reply(m_control.models());
}

AdminReply Routes::get_config(const AdminRequest& /*request*/, const Names& /*names*/) {
  return reply(ConfigText{m_control.config_text()});
}

AdminReply Routes::reload_config(const AdminRequest& /*request*/, const Names& /*names*/) {
  return reply_to(m_control.reload());
}

AdminReply Routes::set_lane(const AdminRequest& request, const Names& names) {
  const auto change = read_body<LaneChange>(request.body);
  if (!change) return reply_with(change.error());
  if (change->model.empty()) return reply_with(fail(ErrorKind::invalid_request, "model is missing", "model"));
  return reply_to(m_control.set_lane_model(names.front(), change->model));
}

AdminReply Routes::list_keys(const AdminRequest& /*request*/, const Names& /*names*/) {
  const auto keys = m_store.load_keys();
  if (!keys) return reply_with(keys.error());
  Json list = Json::array();
  for (const access::VirtualKey& key : *keys) list.push_back(to_key(key, m_clock.wall()));
  return reply(list);
}

AdminReply Routes::create_key(const AdminRequest& request, const Names& /*names*/) {
  const auto wanted = read_body<KeyRequest>(request.body);
  if (!wanted) return reply_with(wanted.error());
  if (const auto checked = check_key_request(*wanted); !checked) return reply_with(checked.error());
  const auto expiry = check_expiry(*wanted, m_clock.wall());
  if (!expiry) return reply_with(expiry.error());

  access::NewKey made = access::make_key(wanted->seat, wanted->team, m_clock.wall());
  made.record.models = wanted->models;
  made.record.expires_at = *expiry;
  {
    const std::lock_guard lock(m_key_change);
    if (const auto inserted = m_store.insert_key(made.record); !inserted) return reply_with(inserted.error());
    if (const auto reloaded = reload_book(); !reloaded) return reply_with(reloaded.error());
  }
  return reply(CreatedKey{to_key(made.record, m_clock.wall()), std::string(made.text.expose())}, 201);
}

AdminReply Routes::revoke_key(const AdminRequest& /*request*/, const Names& names) {
  {
    const std::lock_guard lock(m_key_change);
    if (const auto revoked = m_store.revoke_key(names.front(), m_clock.wall()); !revoked) {
      return reply_with(revoked.error());
    }
    if (const auto reloaded = reload_book(); !reloaded) return reply_with(reloaded.error());
  }
  for (const access::VirtualKey& key : m_book.keys()) {
    if (key.id == names.front()) return reply(to_key(key, m_clock.wall()));
  }
  return reply_with(fail(ErrorKind::not_found, "no key has the id " + names.front()));
}

Status Routes::reload_book() {
  auto keys = m_store.load_keys();
  if (!keys) return keys.error();
  m_book.replace(std::move(keys).value());
  return Done{};
}

AdminReply Routes::list_calls(const AdminRequest& request, const Names& /*names*/) {
  const auto filter = to_call_filter(request.parameters);
  if (!filter) return reply_with(filter.error());
  const auto calls = m_history.find_calls(*filter);
  if (!calls) return reply_with(calls.error());
  Json list = Json::array();
  for (const ledger::CallRow& row : *calls) list.push_back(to_call(row.row, row.record));
  return reply(list);
}

AdminReply Routes::tell_call(const AdminRequest& /*request*/, const Names& names) {
  const auto found = m_history.find_call(names.front());
  if (!found) return reply_with(found.error());
  if (!*found) return reply_with(fail(ErrorKind::not_found, "no call has the id " + names.front()));
  return reply(to_story(**found));
}

AdminReply Routes::sum_usage(const AdminRequest& request, const Names& /*names*/) {
  const auto query = to_usage_query(request.parameters);
  if (!query) return reply_with(query.error());
  const auto rows = m_history.usage(*query);
  if (!rows) return reply_with(rows.error());
  Json list = Json::array();
  for (const ledger::UsageRow& row : *rows) list.push_back(to_usage_row(row));
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
