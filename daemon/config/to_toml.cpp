#include "daemon/config/parse_settings.h"
#include "daemon/config/toml_document.h"
#include "daemon/config/written_forms.h"

namespace nemo::config {
namespace {

std::string_view to_string(UpstreamKind kind) {
  switch (kind) {
    case UpstreamKind::nemo:
      return "nemo";
    case UpstreamKind::openai:
      return "openai";
    case UpstreamKind::vertex:
      return "vertex";
    case UpstreamKind::anthropic:
      return "anthropic";
  }
  return "openai";
}

std::string_view to_string(OnDisconnect what) {
  switch (what) {
    case OnDisconnect::cancel:
      return "cancel";
    case OnDisconnect::drain:
      return "drain";
  }
  return "cancel";
}

std::string_view to_string(ContentLogging level) {
  switch (level) {
    case ContentLogging::none:
      return "none";
    case ContentLogging::metadata:
      return "metadata";
    case ContentLogging::redacted:
      return "redacted";
    case ContentLogging::full:
      return "full";
  }
  return "none";
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out.append(out.size() > 1 ? ", " : "").append(toml_quoted(text));
  return out.append("]");
}

std::string table_of(const catalog::Price& price) {
  std::string out = "{ input = " + toml_quoted(to_dollars(price.input));
  if (price.cached_input) out += ", cached_input = " + toml_quoted(to_dollars(*price.cached_input));
  if (price.cache_write) out += ", cache_write = " + toml_quoted(to_dollars(*price.cache_write));
  return out + ", output = " + toml_quoted(to_dollars(price.output)) + " }";
}

class Writer {
 public:
  void header(const std::string& line) { m_text.append("\n").append(line).append("\n"); }

  void raw(std::string_view key, std::string_view value) {
    m_text.append(key).append(" = ").append(value).append("\n");
  }
  void text(std::string_view key, std::string_view value) { raw(key, toml_quoted(value)); }
  void text_if(std::string_view key, std::string_view value) {
    if (!value.empty()) text(key, value);
  }
  void truth(std::string_view key, bool value) { raw(key, value ? "true" : "false"); }
  void number(std::string_view key, std::int64_t value) { raw(key, std::to_string(value)); }
  void texts(std::string_view key, const std::vector<std::string>& values) { raw(key, list_of(values)); }
  void duration(std::string_view key, Millis value) { text(key, to_text(value)); }

  std::string take() { return std::move(m_text); }

 private:
  std::string m_text;
};

void write_edge(Writer& out, const Settings& settings) {
  out.text("listen", to_text(ListenAddress{settings.listen_host, settings.listen_port}));
  out.text("ollama_listen", to_text(settings.ollama_listen));
  out.truth("allow_remote", settings.allow_remote);
  out.texts("allowed_origins", settings.allowed_origins);
  out.texts("allowed_hosts", settings.allowed_hosts);
  out.truth("require_key", settings.require_key);
  out.truth("whose_work", settings.whose_work);
  out.text("content_logging", to_string(settings.content_logging));
  out.number("retention_days", settings.retention_days);
  out.number("max_body_mib", static_cast<std::int64_t>(settings.max_body_bytes >> 20U));
  out.duration("drain_timeout", settings.drain_timeout);
  out.text("time_zone", settings.time_zone);
}

void write_upstream(Writer& out, const Upstream& upstream) {
  out.header("[[upstream]]");
  out.text("name", upstream.name);
  out.text("kind", to_string(upstream.kind));
  out.text_if("base_url", upstream.base_url);
  out.text_if("key", to_text(upstream.key));
  if (upstream.kind == UpstreamKind::vertex) {
    out.text_if("project", upstream.project);
    out.text("location", upstream.location);
    out.text("credentials", upstream.credentials);
    out.text_if("token_url", upstream.token_url);
  }
  out.text_if("header_prefix", upstream.header_prefix);
  out.text("unpriced", upstream.unpriced_allowed ? "allow" : "refuse");
  out.text("completions", upstream.completions);
  out.text("responses", upstream.responses);
  if (upstream.http2) out.truth("http2", *upstream.http2);
  out.text_if("ca_file", upstream.ca_file);
  out.duration("connect_timeout", upstream.connect_timeout);
  out.duration("first_token_timeout", upstream.first_token_timeout);
  out.duration("idle_timeout", upstream.idle_timeout);
}

void write_deployment(Writer& out, const Deployment& deployment) {
  out.header("[[deployment]]");
  out.text("model", deployment.model);
  out.text("upstream", deployment.upstream);
  out.text("upstream_model", deployment.upstream_model);
  out.number("weight", deployment.weight);
  out.number("order", deployment.order);
  out.texts("tags", deployment.tags);
  if (deployment.rpm) out.number("rpm", *deployment.rpm);
  out.text("on_disconnect", to_string(deployment.on_disconnect));
}

void write_lane(Writer& out, const std::string& name, const Lane& lane) {
  out.header("[lane." + toml_key(name) + "]");
  out.text("model", lane.model);
  out.text("strategy", lane.strategy);
  out.texts("fallbacks", lane.fallbacks);
  out.texts("tags", lane.tags);
  if (lane.first_token_timeout) out.duration("first_token_timeout", *lane.first_token_timeout);
  if (lane.hedge) out.text("hedge_after", lane.hedge->after ? to_text(*lane.hedge->after) : "p95");
  if (!lane.budget_fallback.empty()) out.text("on_budget", "fallback:" + lane.budget_fallback);
  if (name == "completion") out.duration("remember", lane.remember);
  if (lane.settle > Millis{0}) out.duration("settle", lane.settle);
}

void write_model(Writer& out, const std::string& id, const catalog::ModelOverride& model) {
  out.header("[model." + toml_quoted(id) + "]");
  if (model.publisher) out.text("publisher", *model.publisher);
  if (model.context_window) out.number("context_window", *model.context_window);
  if (model.max_output_tokens) out.number("max_output_tokens", *model.max_output_tokens);
  if (model.price) out.raw("price", table_of(*model.price));
  if (model.price_above_200k) out.raw("price_above_200k", table_of(*model.price_above_200k));
  if (model.tags) out.texts("tags", *model.tags);
  if (model.capabilities) out.texts("capabilities", *model.capabilities);
  if (model.fim) out.text("fim", call::to_string(*model.fim));
}

}  // namespace

std::string to_toml(const Settings& settings) {
  Writer out;
  write_edge(out, settings);
  for (const Upstream& upstream : settings.upstreams) write_upstream(out, upstream);
  for (const Deployment& deployment : settings.deployments) write_deployment(out, deployment);
  for (const auto& [name, lane] : settings.lanes) write_lane(out, name, lane);
  out.header("[routing]");
  out.number("num_retries", settings.routing.num_retries);
  out.number("allowed_fails", settings.routing.allowed_fails);
  out.duration("cooldown", settings.routing.cooldown);
  out.header("[budgets]");
  out.number("least_chat_tokens", settings.budgets.least_chat_tokens);
  out.number("least_completion_tokens", settings.budgets.least_completion_tokens);
  if (!settings.alerts.webhook.empty()) {
    out.header("[alerts]");
    out.text("webhook", settings.alerts.webhook);
  }
  for (const auto& [id, model] : settings.models) write_model(out, id, model);
  if (!settings.aliases.empty()) out.header("[alias]");
  for (const auto& [alias, id] : settings.aliases) out.text(toml_quoted(alias), id);
  return out.take();
}

}  // namespace nemo::config
