#include "shared/admin/status.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

template <typename Visit, typename Value>
static void each_upstream_status_field(Visit& visit, Value& value) {
  visit("name", value.name);
  visit("kind", value.kind);
  visit("base_url", value.base_url);
  visit("key", value.key);
  visit("key_source", value.key_source);
  visit("state", value.state);
  visit("detail", value.detail);
  visit("models", value.models);
}

void to_json(Json& json, const UpstreamStatus& value) {
  FieldWriter writer(json);
  each_upstream_status_field(writer, value);
}

void from_json(const Json& json, UpstreamStatus& value) {
  FieldReader reader(json);
  each_upstream_status_field(reader, value);
}

template <typename Visit, typename Value>
static void each_lane_status_field(Visit& visit, Value& value) {
  visit("name", value.name);
  visit("model", value.model);
  visit("strategy", value.strategy);
}

void to_json(Json& json, const LaneStatus& value) {
  FieldWriter writer(json);
  each_lane_status_field(writer, value);
}

void from_json(const Json& json, LaneStatus& value) {
  FieldReader reader(json);
  each_lane_status_field(reader, value);
}

template <typename Visit, typename Value>
static void each_ledger_status_field(Visit& visit, Value& value) {
  visit("written", value.written);
  visit("waiting", value.waiting);
  visit("dropped", value.dropped);
  visit("last_error", value.last_error);
  visit("verdicts_dropped", value.verdicts_dropped);
}

void to_json(Json& json, const LedgerStatus& value) {
  FieldWriter writer(json);
  each_ledger_status_field(writer, value);
}

void from_json(const Json& json, LedgerStatus& value) {
  FieldReader reader(json);
  each_ledger_status_field(reader, value);
}

template <typename Visit, typename Value>
static void each_ollama_status_field(Visit& visit, Value& value) {
  visit("state", value.state);
  visit("url", value.url);
  visit("detail", value.detail);
  visit("only_if_free", value.only_if_free);
}

void to_json(Json& json, const OllamaStatus& value) {
  FieldWriter writer(json);
  each_ollama_status_field(writer, value);
}

void from_json(const Json& json, OllamaStatus& value) {
  FieldReader reader(json);
  each_ollama_status_field(reader, value);
}

template <typename Visit, typename Value>
static void each_daemon_status_field(Visit& visit, Value& value) {
  visit("version", value.version);
  visit("pid", value.pid);
  visit("url", value.url);
  visit("ollama", value.ollama);
  visit("config_file", value.config_file);
  visit("config_file_exists", value.config_file_exists);
  visit("config_error", value.config_error);
  visit("after_restart", value.after_restart);
  visit("data_folder", value.data_folder);
  visit("uptime_s", value.uptime_s);
  visit("open_calls", value.open_calls);
  visit("open_connections", value.open_connections);
  visit("calls_total", value.calls_total);
  visit("require_key", value.require_key);
  visit("keys", value.keys);
  visit("upstreams", value.upstreams);
  visit("lanes", value.lanes);
  visit("ledger", value.ledger);
  visit("capped", value.capped);
  visit("alerts", value.alerts);
  visit("unsettled", value.unsettled);
}

void to_json(Json& json, const DaemonStatus& value) {
  FieldWriter writer(json);
  each_daemon_status_field(writer, value);
}

void from_json(const Json& json, DaemonStatus& value) {
  FieldReader reader(json);
  each_daemon_status_field(reader, value);
}

}  // namespace nemo::admin
