#include "cli/admin_client.h"

#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "shared/admin/config.h"
#include "shared/admin/error.h"
#include "shared/admin/upstream.h"

namespace nemo::cli {
namespace {

using admin::Json;
namespace fs = std::filesystem;

constexpr time_t k_connect_timeout_s = 5;
constexpr time_t k_answer_timeout_s = 150;  // a probe waits for an upstream, which the daemon gives up before this
constexpr int k_unused_port = 1;            // httplib asks for one, a Unix socket has none

struct Question {
  const char* method = "GET";
  std::string path;
  httplib::Params parameters = {};
  std::string body = {};
};

std::string encode_segment(const std::string& text) {
  constexpr std::string_view k_hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(c);
    } else {
      out.append({'%', k_hex[byte >> 4U], k_hex[byte & 15U]});
    }
  }
  return out;
}

Error explain_no_answer(const fs::path& socket, httplib::Error error) {
  if (error != httplib::Error::Connection) {
    return fail(ErrorKind::internal, "the daemon broke off (" + httplib::to_string(error) + "); its log says more");
  }
  if (::access(socket.c_str(), W_OK) != 0 && errno == EACCES) {
    return fail(ErrorKind::storage,
                "not permitted to talk to the daemon at " + socket.string() + ": it belongs to another user");
  }
  throw DaemonNotRunning("the daemon is not running (nobody answers at " + socket.string() + "); start it with: nemod");
}

httplib::Result send(httplib::Client& client, const Question& question) {
  httplib::Request request;
  request.method = question.method;
  request.path =
      question.parameters.empty() ? question.path : httplib::append_query_params(question.path, question.parameters);
  request.headers = {{"Host", "nemod"}, {"Accept", "application/json"}};
  request.body = question.body;
  if (!question.body.empty()) request.headers.emplace("Content-Type", "application/json");
  if (question.body.empty() && request.method != "GET") request.headers.emplace("Content-Length", "0");
  return client.send(request);
}

httplib::Client make_client(const fs::path& socket) {
  httplib::Client client(socket.string(), k_unused_port);
  client.set_address_family(AF_UNIX);
  client.set_socket_options([](socket_t /*fd*/) {});
  client.set_connection_timeout(k_connect_timeout_s);
  client.set_read_timeout(k_answer_timeout_s);
  return client;
}

Result<Json> ask(const fs::path& socket, const Question& question) {
  httplib::Client client = make_client(socket);
  const httplib::Result answer = send(client, question);
  if (!answer) return explain_no_answer(socket, answer.error());
  try {
    Json json = Json::parse(answer->body);
    if (answer->status >= 200 && answer->status < 300) return json;
    return admin::error_from_json(json);
  } catch (const Json::exception&) {
    return fail(ErrorKind::internal, "the daemon's answer (HTTP " + std::to_string(answer->status) +
                                         ") makes no sense: do nemo and nemod have the same version?");
  }
}

template <typename T>
Result<T> ask_for(const fs::path& socket, const Question& question) {
  const auto json = ask(socket, question);
  if (!json) return json.error();
  try {
    return json->get<T>();
  } catch (const Json::exception& error) {
    return fail(ErrorKind::internal, std::string("the daemon's answer is not what this nemo expects (") + error.what() +
                                         "): do nemo and nemod have the same version?");
  }
}

Status tell(const fs::path& socket, const Question& question) {
  const auto json = ask(socket, question);
  if (!json) return json.error();
  return Done{};
}

void add_if_given(httplib::Params& parameters, const char* name, const std::string& value) {
  if (!value.empty()) parameters.emplace(name, value);
}

std::string upstream_path(const std::string& upstream, const char* what) {
  return "/upstreams/" + encode_segment(upstream) + what;
}

std::string experiment_path(const std::string& name, const char* what) {
  return "/experiments/" + encode_segment(name) + what;
}

}  // namespace

AdminClient::AdminClient(fs::path socket) : m_socket(std::move(socket)) {}

bool AdminClient::answers() const {
  httplib::Client client = make_client(m_socket);
  const httplib::Result answer = send(client, {"GET", "/status"});
  return answer || answer.error() != httplib::Error::Connection;
}

Result<admin::DaemonStatus> AdminClient::status() const {
  return ask_for<admin::DaemonStatus>(m_socket, {"GET", "/status"});
}

Result<std::vector<admin::Model>> AdminClient::models() const {
  return ask_for<std::vector<admin::Model>>(m_socket, {"GET", "/models"});
}

Result<std::string> AdminClient::config_text() const {
  const auto config = ask_for<admin::ConfigText>(m_socket, {"GET", "/config"});
  if (!config) return config.error();
  return config->text;
}

Result<admin::Reloaded> AdminClient::reload_config() const {
  return ask_for<admin::Reloaded>(m_socket, {"POST", "/config/reload"});
}

Status AdminClient::set_lane_model(const std::string& lane, const std::string& model) const {
  return tell(m_socket, {"POST", "/lanes/" + encode_segment(lane), {}, Json(admin::LaneChange{model}).dump()});
}

Result<std::vector<admin::Key>> AdminClient::keys() const {
  return ask_for<std::vector<admin::Key>>(m_socket, {"GET", "/keys"});
}

Result<admin::CreatedKey> AdminClient::create_key(const admin::KeyRequest& request) const {
  return ask_for<admin::CreatedKey>(m_socket, {"POST", "/keys", {}, Json(request).dump()});
}

Result<admin::Key> AdminClient::revoke_key(const std::string& id) const {
  return ask_for<admin::Key>(m_socket, {"DELETE", "/keys/" + encode_segment(id)});
}

Result<admin::Key> AdminClient::change_key(const std::string& id, const admin::KeyChange& change) const {
  return ask_for<admin::Key>(m_socket, {"PATCH", "/keys/" + encode_segment(id), {}, Json(change).dump()});
}

Result<admin::CreatedKey> AdminClient::rotate_key(const std::string& id, std::chrono::seconds grace) const {
  const admin::KeyRotation rotation{grace.count()};
  return ask_for<admin::CreatedKey>(m_socket,
                                    {"POST", "/keys/" + encode_segment(id) + "/rotate", {}, Json(rotation).dump()});
}

Result<std::vector<admin::Team>> AdminClient::teams() const {
  return ask_for<std::vector<admin::Team>>(m_socket, {"GET", "/teams"});
}

Result<admin::Team> AdminClient::create_team(const admin::TeamRequest& request) const {
  return ask_for<admin::Team>(m_socket, {"POST", "/teams", {}, Json(request).dump()});
}

Result<admin::Team> AdminClient::change_team(const std::string& name, const admin::TermsRequest& change) const {
  return ask_for<admin::Team>(m_socket, {"PATCH", "/teams/" + encode_segment(name), {}, Json(change).dump()});
}

Result<admin::Team> AdminClient::delete_team(const std::string& name) const {
  return ask_for<admin::Team>(m_socket, {"DELETE", "/teams/" + encode_segment(name)});
}

Result<std::vector<admin::Seat>> AdminClient::seats() const {
  return ask_for<std::vector<admin::Seat>>(m_socket, {"GET", "/seats"});
}

Result<admin::Seat> AdminClient::change_seat(const std::string& name, const admin::TermsRequest& change) const {
  return ask_for<admin::Seat>(m_socket, {"PATCH", "/seats/" + encode_segment(name), {}, Json(change).dump()});
}

Result<std::vector<admin::Budget>> AdminClient::budgets() const {
  return ask_for<std::vector<admin::Budget>>(m_socket, {"GET", "/budgets"});
}

Result<std::vector<admin::Unsettled>> AdminClient::unsettled() const {
  return ask_for<std::vector<admin::Unsettled>>(m_socket, {"GET", "/unsettled"});
}

Status AdminClient::release_unsettled(std::int64_t id, const admin::Release& release) const {
  return tell(m_socket, {"POST", "/unsettled/" + std::to_string(id) + "/release", {}, Json(release).dump()});
}

Result<std::vector<admin::Accuracy>> AdminClient::accuracy(const std::string& since) const {
  httplib::Params parameters;
  add_if_given(parameters, "since", since);
  return ask_for<std::vector<admin::Accuracy>>(m_socket, {"GET", "/accuracy", parameters});
}

Result<std::vector<admin::Deployment>> AdminClient::deployments() const {
  return ask_for<std::vector<admin::Deployment>>(m_socket, {"GET", "/deployments"});
}

Result<admin::RoutePlan> AdminClient::explain_route(const admin::RouteQuestion& question) const {
  return ask_for<admin::RoutePlan>(m_socket, {"POST", "/route/explain", {}, Json(question).dump()});
}

Result<std::vector<admin::Experiment>> AdminClient::experiments() const {
  return ask_for<std::vector<admin::Experiment>>(m_socket, {"GET", "/experiments"});
}

Result<admin::Experiment> AdminClient::create_experiment(const admin::ExperimentRequest& request) const {
  return ask_for<admin::Experiment>(m_socket, {"POST", "/experiments", {}, Json(request).dump()});
}

Result<admin::Experiment> AdminClient::start_experiment(const std::string& name) const {
  return ask_for<admin::Experiment>(m_socket, {"POST", experiment_path(name, "/start")});
}

Result<admin::Experiment> AdminClient::pause_experiment(const std::string& name) const {
  return ask_for<admin::Experiment>(m_socket, {"POST", experiment_path(name, "/pause")});
}

Result<admin::Experiment> AdminClient::stop_experiment(const std::string& name) const {
  return ask_for<admin::Experiment>(m_socket, {"POST", experiment_path(name, "/stop")});
}

Result<admin::ExperimentReport> AdminClient::report_experiment(const std::string& name) const {
  return ask_for<admin::ExperimentReport>(m_socket, {"GET", experiment_path(name, "/report")});
}

Result<std::vector<admin::Call>> AdminClient::calls(const admin::CallQuery& query) const {
  httplib::Params parameters{{"limit", std::to_string(query.limit)}};
  add_if_given(parameters, "key", query.key);
  add_if_given(parameters, "seat", query.seat);
  add_if_given(parameters, "model", query.model);
  add_if_given(parameters, "status", query.status);
  add_if_given(parameters, "since", query.since);
  if (query.paths) parameters.emplace("paths", "true");
  if (query.after_row) parameters.emplace("after_row", std::to_string(*query.after_row));
  return ask_for<std::vector<admin::Call>>(m_socket, {"GET", "/calls", parameters});
}

Result<admin::CallStory> AdminClient::call(const std::string& id, Paths paths) const {
  httplib::Params parameters;
  if (paths == Paths::whole) parameters.emplace("paths", "true");
  return ask_for<admin::CallStory>(m_socket, {"GET", "/calls/" + encode_segment(id), parameters});
}

static httplib::Params parameters_of(const admin::UsageQuery& query) {
  httplib::Params parameters;
  add_if_given(parameters, "by", query.by);
  add_if_given(parameters, "since", query.since);
  add_if_given(parameters, "until", query.until);
  if (query.paths) parameters.emplace("paths", "true");
  return parameters;
}

Result<std::vector<admin::UsageRow>> AdminClient::usage(const admin::UsageQuery& query) const {
  return ask_for<std::vector<admin::UsageRow>>(m_socket, {"GET", "/usage", parameters_of(query)});
}

Result<std::vector<admin::AcceptanceRow>> AdminClient::acceptance(const admin::UsageQuery& query) const {
  return ask_for<std::vector<admin::AcceptanceRow>>(m_socket, {"GET", "/usage/accepted", parameters_of(query)});
}

Status AdminClient::login(const std::string& upstream, const Secret& key) const {
  return tell(m_socket, {"POST", upstream_path(upstream, "/key"), {}, Json(admin::UpstreamKey{key}).dump()});
}

Status AdminClient::logout(const std::string& upstream) const {
  return tell(m_socket, {"DELETE", upstream_path(upstream, "/key")});
}

Result<int> AdminClient::probe(const std::string& upstream) const {
  const auto reply = ask_for<admin::ProbeReply>(m_socket, {"POST", upstream_path(upstream, "/probe")});
  if (!reply) return reply.error();
  return static_cast<int>(reply->models);
}

}  // namespace nemo::cli
