#include "daemon/config/section_readers.h"

#include <array>
#include <cctype>

#include "daemon/config/parse_settings.h"
#include "daemon/config/written_forms.h"
#include "shared/money.h"

namespace nemo::config {
namespace {

constexpr std::int64_t k_most_weight = 1'000'000;
constexpr std::int64_t k_most_order = 1'000;
constexpr std::int64_t k_most_rpm = 1'000'000'000;
constexpr std::int64_t k_most_tokens = 1'000'000'000;
constexpr std::int64_t k_most_tries = 100;
constexpr std::int64_t k_most_fails = 1'000'000;
constexpr Millis k_some_time{1};

// Kinds that the format has a name for and this version does not serve.
constexpr std::array<std::string_view, 2> k_kinds_to_come{"vertex", "anthropic"};

bool kind_is_to_come(FirstProblem& problem, const TomlValue& table) {
  const TomlValue* kind = table.find("kind");
  if (kind == nullptr || kind->kind != TomlValue::Kind::text) return false;
  if (std::find(k_kinds_to_come.begin(), k_kinds_to_come.end(), kind->text) == k_kinds_to_come.end()) return false;
  problem.report(kind->begin, "kind in [[upstream]]: upstreams of kind \"" + kind->text +
                                  "\" are not served by this version yet; write \"nemo\" or \"openai\"");
  return true;
}

bool is_header_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

void read_header_prefix(const TableReader& reader, std::string& prefix) {
  reader.text("header_prefix", prefix);
  if (!std::all_of(prefix.begin(), prefix.end(), is_header_char)) {
    reader.report("header_prefix", "only letters, digits, \"-\" and \"_\" stand in a header's name");
  }
  // Header names are compared in lower case.
  for (char& c : prefix) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  // Anything wider would pass on headers that frame the answer or set cookies.
  if (!prefix.starts_with("x-")) reader.report("header_prefix", "it begins with \"x-\", such as \"x-nemo-\"");
}

void read_amount(const TableReader& reader, std::string_view key, std::optional<NanoUsd>& target) {
  const TomlValue* value = reader.find(key);
  if (value == nullptr) return;
  if (value->kind == TomlValue::Kind::integer || value->kind == TomlValue::Kind::decimal) {
    reader.report(key, "a price is written as text, so that no digit is lost: \"0.30\"");
    return;
  }
  if (reader.expect(key, TomlValue::Kind::text) == nullptr) return;
  if (value->text.starts_with('-')) {
    reader.report(key, "a price is not negative; write dollars per million tokens as text: \"0.30\"");
    return;
  }
  const auto amount = parse_dollars(value->text);
  if (amount) {
    target = *amount;
  } else {
    reader.report(key, amount.error().message + "; write dollars per million tokens as text: \"0.30\"");
  }
}

void read_price(FirstProblem& problem, const TableReader& model, std::string_view key,
                std::optional<catalog::Price>& target) {
  const TomlValue* value = model.find(key);
  if (value == nullptr) return;
  if (value->kind != TomlValue::Kind::table) {
    model.report(key, "a table is expected, such as { input = \"0.30\", cached_input = \"0.03\", output = \"2.50\" }");
    return;
  }
  const TableReader reader(problem, *value, std::string(key), {"input", "cached_input", "cache_write", "output"});
  reader.require("input", "input = \"0.30\"");
  reader.require("output", "output = \"2.50\" (\"0\" when output costs nothing)");
  catalog::Price price;
  std::optional<NanoUsd> input;
  std::optional<NanoUsd> output;
  read_amount(reader, "input", input);
  read_amount(reader, "cached_input", price.cached_input);
  read_amount(reader, "cache_write", price.cache_write);
  read_amount(reader, "output", output);
  price.input = input.value_or(NanoUsd{});
  price.output = output.value_or(NanoUsd{});
  target = price;
}

void check_capabilities(FirstProblem& problem, const TableReader& reader) {
  static const std::vector<std::string> k_names{"chat", "fim", "tools", "vision", "reasoning", "embeddings"};
  const TomlValue* list = reader.find("capabilities");
  if (list == nullptr) return;
  for (const TomlValue& item : list->children) {
    if (item.kind != TomlValue::Kind::text) continue;  // texts() reports it
    if (std::find(k_names.begin(), k_names.end(), item.text) != k_names.end()) continue;
    problem.report(item.begin, "capabilities: " + shown(item.text) + " is none of " + listed(k_names));
  }
}

template <typename Value, typename Read>
std::optional<Value> when_there(const TableReader& reader, std::string_view key, Read read) {
  if (reader.find(key) == nullptr) return std::nullopt;
  Value value{};
  read(value);
  return value;
}

void read_hedge(const TableReader& reader, std::string& hedge_after) {
  const TomlValue* value = reader.expect("hedge_after", TomlValue::Kind::text);
  if (value == nullptr) return;
  const auto duration = parse_duration(value->text);
  if (value->text != "p95" && (!duration || *duration < k_some_time)) {
    reader.report("hedge_after", "\"p95\" or a duration such as \"800ms\" is expected");
  }
  hedge_after = value->text;
}

void read_on_budget(FirstProblem& problem, const TableReader& reader, const Known& known, std::string& model) {
  constexpr std::string_view k_fallback = "fallback:";
  const TomlValue* value = reader.expect("on_budget", TomlValue::Kind::text);
  if (value == nullptr || value->text == "refuse") return;
  if (!value->text.starts_with(k_fallback)) {
    reader.report("on_budget", "\"refuse\" or \"fallback:MODEL\" is expected");
    return;
  }
  model = value->text.substr(k_fallback.size());
  check_model_known(problem, *value, model, known.models);
}

}  // namespace

void check_model_known(FirstProblem& problem, const TomlValue& at, std::string_view id,
                       const catalog::Catalog& models) {
  if (models.find(id) != nullptr) return;
  const auto near = models.nearest(id);
  const std::string hint = near.empty() ? "" : "did you mean " + listed(near) + "? Or ";
  problem.report(at.begin, "no model is called " + shown(id) + "; " + hint + "add it with a [model.\"ID\"] table");
}

Upstream read_upstream(FirstProblem& problem, const TomlValue& table) {
  Upstream upstream;
  if (kind_is_to_come(problem, table)) return upstream;
  const TableReader reader(problem, table, "[[upstream]]",
                           {"name", "kind", "base_url", "key", "header_prefix", "unpriced", "completions", "http2",
                            "ca_file", "connect_timeout", "first_token_timeout", "idle_timeout"});
  reader.require("name", "name = \"local\"");
  reader.text("name", upstream.name);
  reader.choice<UpstreamKind>("kind", {{"nemo", UpstreamKind::nemo}, {"openai", UpstreamKind::openai}}, upstream.kind);
  if (upstream.kind == UpstreamKind::nemo) {
    upstream.base_url = k_nemo_base_url;
  } else {
    reader.require("base_url", "base_url = \"http://127.0.0.1:11434/v1\"");
  }
  reader.parsed("base_url", parse_base_url, upstream.base_url);
  reader.parsed("key", parse_secret_ref, upstream.key);
  read_header_prefix(reader, upstream.header_prefix);
  reader.choice<bool>("unpriced", {{"allow", true}, {"refuse", false}}, upstream.unpriced_allowed);
  reader.word("completions", {"auto", "native", "chat"}, upstream.completions);
  upstream.http2 = when_there<bool>(reader, "http2", [&](bool& value) { reader.truth("http2", value); });
  reader.text("ca_file", upstream.ca_file);
  reader.duration("connect_timeout", k_some_time, upstream.connect_timeout);
  reader.duration("first_token_timeout", k_some_time, upstream.first_token_timeout);
  reader.duration("idle_timeout", k_some_time, upstream.idle_timeout);
  return upstream;
}

Deployment read_deployment(FirstProblem& problem, const TomlValue& table, const Known& known) {
  Deployment deployment;
  const TableReader reader(problem, table, "[[deployment]]",
                           {"model", "upstream", "upstream_model", "weight", "order", "tags", "rpm", "on_disconnect"});
  reader.require("model", "model = \"gemini-2.5-flash\"");
  reader.require("upstream", "upstream = \"" + known.upstreams.front().name + "\"");
  reader.text("model", deployment.model);
  if (!deployment.model.empty()) check_model_known(problem, *reader.find("model"), deployment.model, known.models);
  reader.text("upstream", deployment.upstream);
  std::vector<std::string> names;
  for (const Upstream& upstream : known.upstreams) names.push_back(upstream.name);
  if (!deployment.upstream.empty() && std::find(names.begin(), names.end(), deployment.upstream) == names.end()) {
    reader.report("upstream",
                  "no [[upstream]] is called " + shown(deployment.upstream) + "; there is " + listed(names));
  }
  deployment.upstream_model = deployment.model;
  reader.text("upstream_model", deployment.upstream_model);
  reader.integer("weight", 1, k_most_weight, deployment.weight);
  reader.integer("order", 0, k_most_order, deployment.order);
  reader.texts("tags", deployment.tags);
  deployment.rpm = when_there<std::int64_t>(reader, "rpm",
                                            [&](std::int64_t& value) { reader.integer("rpm", 1, k_most_rpm, value); });
  reader.choice<OnDisconnect>("on_disconnect", {{"cancel", OnDisconnect::cancel}, {"drain", OnDisconnect::drain}},
                              deployment.on_disconnect);
  return deployment;
}

Lane read_lane(FirstProblem& problem, const TomlValue& table, Lane lane, const Known& known) {
  const TableReader reader(
      problem, table, "[lane." + toml_key(table.key) + "]",
      {"model", "strategy", "fallbacks", "tags", "first_token_timeout", "hedge_after", "on_budget"});
  if (lane.model.empty()) reader.require("model", "model = \"gemini-2.5-flash\"");
  reader.text("model", lane.model);
  if (const TomlValue* model = reader.find("model")) check_model_known(problem, *model, lane.model, known.models);
  reader.word("strategy", {"simple-shuffle", "least-busy", "usage-based", "latency", "cost"}, lane.strategy);
  reader.texts("fallbacks", lane.fallbacks);
  if (const TomlValue* fallbacks = reader.find("fallbacks")) {
    for (const TomlValue& each : fallbacks->children) check_model_known(problem, each, each.text, known.models);
  }
  reader.texts("tags", lane.tags);
  lane.first_token_timeout = when_there<Millis>(reader, "first_token_timeout", [&](Millis& value) {
    reader.duration("first_token_timeout", k_some_time, value);
  });
  read_hedge(reader, lane.hedge_after);
  read_on_budget(problem, reader, known, lane.budget_fallback);
  return lane;
}

Routing read_routing(FirstProblem& problem, const TomlValue& table) {
  Routing routing;
  const TableReader reader(problem, table, "[routing]", {"num_retries", "allowed_fails", "cooldown"});
  reader.integer("num_retries", 0, k_most_tries, routing.num_retries);
  reader.integer("allowed_fails", 0, k_most_fails, routing.allowed_fails);
  reader.duration("cooldown", Millis{0}, routing.cooldown);
  return routing;
}

Budgets read_budgets(FirstProblem& problem, const TomlValue& table) {
  Budgets budgets;
  const TableReader reader(problem, table, "[budgets]", {"least_chat_tokens", "least_completion_tokens"});
  reader.integer("least_chat_tokens", 1, k_most_tokens, budgets.least_chat_tokens);
  reader.integer("least_completion_tokens", 1, k_most_tokens, budgets.least_completion_tokens);
  return budgets;
}

Alerts read_alerts(FirstProblem& problem, const TomlValue& table) {
  Alerts alerts;
  const TableReader reader(problem, table, "[alerts]", {"webhook"});
  reader.parsed("webhook", parse_base_url, alerts.webhook);
  return alerts;
}

catalog::ModelOverride read_model(FirstProblem& problem, const TomlValue& table) {
  using Texts = std::vector<std::string>;
  catalog::ModelOverride given;
  const TableReader reader(
      problem, table, "[model." + toml_key(table.key) + "]",
      {"context_window", "max_output_tokens", "price", "price_above_200k", "tags", "capabilities"});
  const auto tokens = [&](std::string_view key) {
    return when_there<std::int64_t>(reader, key,
                                    [&](std::int64_t& value) { reader.integer(key, 1, k_most_tokens, value); });
  };
  given.context_window = tokens("context_window");
  given.max_output_tokens = tokens("max_output_tokens");
  read_price(problem, reader, "price", given.price);
  read_price(problem, reader, "price_above_200k", given.price_above_200k);
  given.tags = when_there<Texts>(reader, "tags", [&](Texts& value) { reader.texts("tags", value); });
  given.capabilities =
      when_there<Texts>(reader, "capabilities", [&](Texts& value) { reader.texts("capabilities", value); });
  check_capabilities(problem, reader);
  return given;
}

}  // namespace nemo::config
