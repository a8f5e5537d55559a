#include "daemon/daemon_control.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "daemon/admin/convert_route.h"
#include "daemon/config/parse_settings.h"
#include "daemon/gateway/chance.h"
#include "daemon/http/listener.h"
#include "daemon/routing/route.h"
#include "daemon/upstream/google/endpoints.h"
#include "shared/ids.h"
#include "shared/version.h"

namespace nemo {
namespace {

std::string text_of(const config::SecretRef& ref) {
  using Kind = config::SecretRef::Kind;
  switch (ref.kind) {
    case Kind::none:
      return "";
    case Kind::secret:
      return "secret:" + ref.name;
    case Kind::env:
      return "env:" + ref.name;
    case Kind::file:
      return "file:" + ref.name;
  }
  return "";
}

std::string_view name_of(config::UpstreamKind kind) {
  switch (kind) {
    case config::UpstreamKind::nemo:
      return "nemo";
    case config::UpstreamKind::openai:
      return "openai";
    case config::UpstreamKind::vertex:
      return "vertex";
    case config::UpstreamKind::anthropic:
      return "anthropic";
  }
  return "";
}

// Of kind vertex: its tokens stand for a key, and there is no list to have been asked for.
void put_vertex(admin::UpstreamStatus& status, const gateway::Endpoint& endpoint) {
  const config::Upstream& settings = endpoint.settings;
  if (status.base_url.empty()) status.base_url = upstream::google::base_url_of(settings.location);
  status.key = endpoint.unusable.empty() ? "ok" : "missing";
  status.key_source = settings.credentials;
  status.detail = endpoint.unusable;
}

admin::UpstreamStatus status_of_upstream(const gateway::Endpoint& endpoint, const upstream::ListState* list) {
  admin::UpstreamStatus status;
  const config::Upstream& settings = endpoint.settings;
  status.name = settings.name;
  status.kind = name_of(settings.kind);
  status.base_url = settings.base_url;
  const bool needs_key = settings.key.kind != config::SecretRef::Kind::none;
  status.key = !needs_key ? "not needed" : endpoint.key.empty() ? "missing" : "ok";
  status.key_source = text_of(settings.key);
  status.state = "not tried";
  if (settings.kind == config::UpstreamKind::vertex) put_vertex(status, endpoint);
  if (list == nullptr || !list->tried) return status;
  status.state = list->error.empty() ? "reachable" : "unreachable";
  status.detail = list->error;
  if (list->models) status.models = static_cast<std::int64_t>(list->models->size());
  return status;
}

admin::OllamaStatus status_of_ollama(const OllamaPlace& place) {
  switch (place.state) {
    case OllamaPlace::State::off:
      return {};
    case OllamaPlace::State::listening:
      return {"listening", place.url, "", place.only_if_free};
    case OllamaPlace::State::not_had:
      return {"not had", place.url, place.why, place.only_if_free};
  }
  return {};
}

std::vector<std::string> names_of(const catalog::Capabilities& can) {
  std::vector<std::string> names;
  if (can.chat) names.emplace_back("chat");
  if (can.fim) names.emplace_back("fim");
  if (can.tools) names.emplace_back("tools");
  if (can.vision) names.emplace_back("vision");
  if (can.reasoning) names.emplace_back("reasoning");
  if (can.embeddings) names.emplace_back("embeddings");
  return names;
}

void put_prices(admin::Model& model, const catalog::Pricing& pricing) {
  const auto text = [](const std::optional<NanoUsd>& price) -> std::optional<std::string> {
    if (!price) return std::nullopt;
    return to_dollars(*price);
  };
  model.input_price = to_dollars(pricing.base.input);
  model.cached_input_price = text(pricing.base.cached_input);
  model.cache_write_price = text(pricing.base.cache_write);
  model.output_price = to_dollars(pricing.base.output);
  if (!pricing.above_200k) return;
  model.input_price_above_200k = to_dollars(pricing.above_200k->input);
  model.cached_input_price_above_200k = text(pricing.above_200k->cached_input);
  model.cache_write_price_above_200k = text(pricing.above_200k->cache_write);
  model.output_price_above_200k = to_dollars(pricing.above_200k->output);
}

}  // namespace

DaemonControl::DaemonControl(Parts parts) : m_parts(std::move(parts)), m_started_at(m_parts.clock.steady()) {}

admin::DaemonStatus DaemonControl::status() {
  const auto world = m_parts.live.get();
  admin::DaemonStatus status;
  status.version = version();
  status.pid = ::getpid();
  status.url = http::url_of(m_parts.host, m_parts.editors.port());
  const OllamaPlace place = m_parts.ollama.with([](const OllamaPlace& known) { return known; });
  status.ollama = status_of_ollama(place);
  status.config_file = m_parts.configuration.file().string();
  std::error_code ignored;
  status.config_file_exists = std::filesystem::exists(m_parts.configuration.file(), ignored);
  status.config_error = m_parts.configuration.last_error();
  status.after_restart = waiting_for_restart(m_parts.started, world->settings);
  status.data_folder = m_parts.data_folder.string();
  status.uptime_s = std::chrono::duration_cast<std::chrono::seconds>(m_parts.clock.steady() - m_started_at).count();
  for (const http::EditorServer* server : {&m_parts.editors, &m_parts.ollama_clients}) {
    status.open_calls += static_cast<std::int64_t>(server->open_calls());
    status.open_connections += static_cast<std::int64_t>(server->open_connections());
  }
  status.require_key = world->settings.require_key;
  const auto keys = m_parts.entitlements.keys().keys();
  const WallTime now = m_parts.clock.wall();
  status.keys = std::count_if(keys.begin(), keys.end(), [&](const access::VirtualKey& key) {
    return !key.revoked_at && (!key.expires_at || *key.expires_at > now);
  });
  const auto lists = m_parts.lists.states();
  for (const config::Upstream& upstream : world->settings.upstreams) {
    const auto list = lists.find(upstream.name);
    status.upstreams.push_back(
        status_of_upstream(world->endpoints.at(upstream.name), list == lists.end() ? nullptr : &list->second));
  }
  for (const auto& [name, lane] : world->settings.lanes) status.lanes.push_back({name, lane.model, lane.strategy});
  const ledger::LogHealth health = m_parts.log.health();
  status.calls_total = static_cast<std::int64_t>(health.appended);
  status.ledger = {health.written, health.waiting, health.dropped, health.last_error, health.verdicts_dropped};
  return status;
}

Result<std::vector<std::string>> DaemonControl::reload() {
  if (const Status read = m_parts.configuration.reload(); !read) return read.error();
  return waiting_for_restart(m_parts.started, m_parts.live.get()->settings);
}

std::vector<admin::Model> DaemonControl::models() {
  const auto world = m_parts.live.get();
  const catalog::Catalog own(world->settings.models);
  std::vector<admin::Model> models;
  for (const catalog::Model& model : world->catalog.models()) {
    admin::Model shown;
    shown.id = model.id;
    shown.publisher = model.publisher;
    shown.context_window = model.context_window;
    shown.max_output_tokens = model.max_output_tokens.value_or(0);
    if (model.pricing) put_prices(shown, *model.pricing);
    shown.capabilities = names_of(model.capabilities);
    shown.tags = model.tags;
    shown.deprecated_since = model.deprecated_since;
    shown.in_catalog = own.find(model.id) != nullptr;
    std::set<std::string> upstreams;
    for (const routing::Deployment& one : world->table.deployments) {
      if (one.model == model.id && !one.keyless) upstreams.insert(one.upstream);
    }
    shown.upstreams.assign(upstreams.begin(), upstreams.end());
    for (const auto& [name, lane] : world->settings.lanes) {
      if (lane.model == model.id) shown.lanes.push_back(name);
    }
    models.push_back(std::move(shown));
  }
  return models;
}

// An upstream of kind vertex has no list: that Google gives a token for it is what can be known for nothing.
Result<int> DaemonControl::probe(const std::string& upstream) {
  const auto world = m_parts.live.get();
  const auto endpoint = world->endpoints.find(upstream);
  if (endpoint == world->endpoints.end() || endpoint->second.settings.kind != config::UpstreamKind::vertex) {
    return m_parts.lists.probe(upstream);
  }
  if (!endpoint->second.unusable.empty()) return fail(ErrorKind::upstream_error, endpoint->second.unusable);
  if (const auto token = endpoint->second.tokens->token(); !token) return token.error();
  const auto& all = world->table.deployments;
  return static_cast<int>(
      std::count_if(all.begin(), all.end(), [&](const routing::Deployment& one) { return one.upstream == upstream; }));
}

std::vector<admin::Deployment> DaemonControl::deployments() {
  return admin::to_deployments(m_parts.live.get()->table, m_parts.clock.steady());
}

admin::RoutePlan DaemonControl::explain_route(const call::CallSpec& spec, const admin::RouteCaller& caller) {
  const auto world = m_parts.live.get();
  const std::string id = make_request_id(m_parts.clock.wall());
  routing::Decision decision;
  const Status decided =
      routing::decide(world->table, world->catalog, spec,
                      {caller.models, caller.seat, id, m_parts.clock.steady(), gateway::draw_chance()}, decision);
  return admin::to_plan(spec, decision, decided);
}

std::string DaemonControl::config_text() {
  return config::to_toml(m_parts.live.get()->settings);
}

Status DaemonControl::set_lane_model(const std::string& lane, const std::string& model) {
  return m_parts.configuration.set_lane_model(lane, model);
}

Status DaemonControl::login(const std::string& upstream, const Secret& key) {
  return m_parts.configuration.set_key(upstream, &key);
}

Status DaemonControl::logout(const std::string& upstream) {
  return m_parts.configuration.set_key(upstream, nullptr);
}

}  // namespace nemo
