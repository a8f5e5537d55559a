#include "daemon/config/section_readers.h"

#include <algorithm>
#include <set>

#include "daemon/catalog/anthropic_name.h"
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

// One that the catalog has: a misspelt one would be spoken to in the wrong dialect.
std::optional<std::string> read_publisher(const TableReader& reader) {
  std::string publisher;
  reader.text("publisher", publisher);
  if (publisher.empty()) return std::nullopt;
  std::set<std::string> known;
  for (const catalog::Model& model : catalog::builtin_models()) known.insert(model.publisher);
  if (!known.contains(publisher)) {
    const std::vector<std::string> names(known.begin(), known.end());
    reader.report("publisher", shown(publisher) + " is not one of its values; write " + listed(names));
  }
  return publisher;
}

template <typename Value, typename Read>
std::optional<Value> when_there(const TableReader& reader, std::string_view key, Read read) {
  if (reader.find(key) == nullptr) return std::nullopt;
  Value value{};
  read(value);
  return value;
}

std::optional<call::FimForm> read_fim(const TableReader& reader) {
  std::string name;
  reader.word("fim",
              {"suffix", "none", "qwen", "codegemma", "granite", "starcoder", "codellama", "deepseek", "codestral",
               "seed-coder", "glm", "codegeex"},
              name);
  return call::find_fim_form(name);
}

std::optional<Lane::Hedge> read_hedge(const TableReader& reader) {
  const TomlValue* value = reader.expect("hedge_after", TomlValue::Kind::text);
  if (value == nullptr) return std::nullopt;
  if (value->text == "p95") return Lane::Hedge{};
  const auto after = parse_duration(value->text);
  if (after && *after >= k_some_time) return Lane::Hedge{*after};
  reader.report("hedge_after", "\"p95\" or a duration of at least 1ms, such as \"800ms\", is expected");
  return std::nullopt;
}

// The chain of a lane is its model and then its fallbacks: nothing stands in it twice.
void check_fallbacks(FirstProblem& problem, const TableReader& reader, const Lane& lane, const Known& known) {
  const TomlValue* fallbacks = reader.find("fallbacks");
  if (fallbacks == nullptr) return;
  std::vector<std::string> chain{lane.model};
  for (const TomlValue& each : fallbacks->children) {
    check_model_known(problem, each, each.text, known.models);
    if (each.text == lane.model) {
      problem.report(each.begin, "fallbacks: " + shown(each.text) +
                                     " is the lane's own model, which has failed by then; name other models");
    } else if (std::find(chain.begin(), chain.end(), each.text) != chain.end()) {
      problem.report(each.begin, "fallbacks: " + shown(each.text) + " is in the list already; name each model once");
    }
    chain.push_back(each.text);
  }
}

void read_on_budget(FirstProblem& problem, const TableReader& reader, const Known& known, Lane& lane) {
  constexpr std::string_view k_fallback = "fallback:";
  const TomlValue* value = reader.expect("on_budget", TomlValue::Kind::text);
  if (value == nullptr || value->text == "refuse") return;
  if (!value->text.starts_with(k_fallback)) {
    reader.report("on_budget", "\"refuse\" or \"fallback:MODEL\" is expected");
    return;
  }
  lane.budget_fallback = value->text.substr(k_fallback.size());
  check_model_known(problem, *value, lane.budget_fallback, known.models);
  if (lane.budget_fallback == lane.model) {
    reader.report(
        "on_budget",
        shown(lane.model) + " is the lane's own model, which the budget has refused by then; name a cheaper one");
  }
}

// Lane completion's own: what is remembered of its answers, and how long a keystroke waits for the next.
void read_beside_editor(const TableReader& reader, const std::string& lane_name, Lane& lane) {
  constexpr Millis k_longest_memory = std::chrono::hours(24);
  constexpr Millis k_longest_settle = std::chrono::seconds(10);
  for (const char* key : {"remember", "settle"}) {
    if (reader.find(key) == nullptr || lane_name == "completion") continue;
    reader.report(key, "only [lane.completion] has it");
    return;
  }
  reader.duration("remember", Millis{0}, lane.remember);
  if (lane.remember > k_longest_memory) reader.report("remember", "at most 24h is expected; \"0s\" turns it off");
  reader.duration("settle", Millis{0}, lane.settle);
  if (lane.settle > k_longest_settle) reader.report("settle", "at most 10s is expected; \"0s\" turns it off");
}

// What the upstream calls a model where the file does not say.
std::string name_at_upstream(const Deployment& deployment, const Known& known) {
  const auto at = std::find_if(known.upstreams.begin(), known.upstreams.end(),
                               [&](const Upstream& each) { return each.name == deployment.upstream; });
  const catalog::Model* model = known.models.find(deployment.model);
  const bool direct = at != known.upstreams.end() && at->kind == UpstreamKind::anthropic;
  if (direct && model != nullptr && model->publisher == catalog::k_anthropic)
    return catalog::anthropic_name(deployment.model);
  return deployment.model;
}

}  // namespace

void check_model_known(FirstProblem& problem, const TomlValue& at, std::string_view id,
                       const catalog::Catalog& models) {
  if (models.find(id) != nullptr) return;
  const auto near = models.nearest(id);
  const std::string hint = near.empty() ? "" : "did you mean " + listed(near) + "? Or ";
  problem.report(at.begin, "no model is called " + shown(id) + "; " + hint + "add it with a [model.\"ID\"] table");
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
  deployment.upstream_model = name_at_upstream(deployment, known);
  reader.text("upstream_model", deployment.upstream_model);
  reader.integer("weight", 0, k_most_weight, deployment.weight);
  reader.integer("order", 0, k_most_order, deployment.order);
  reader.texts("tags", deployment.tags);
  deployment.rpm = when_there<std::int64_t>(reader, "rpm",
                                            [&](std::int64_t& value) { reader.integer("rpm", 1, k_most_rpm, value); });
  reader.choice<OnDisconnect>("on_disconnect", {{"cancel", OnDisconnect::cancel}, {"drain", OnDisconnect::drain}},
                              deployment.on_disconnect);
  return deployment;
}

Lane read_lane(FirstProblem& problem, const TomlValue& table, Lane lane, const Known& known) {
  const TableReader reader(problem, table, "[lane." + toml_key(table.key) + "]",
                           {"model", "strategy", "fallbacks", "tags", "first_token_timeout", "hedge_after", "on_budget",
                            "remember", "settle"});
  if (lane.model.empty()) reader.require("model", "model = \"gemini-2.5-flash\"");
  reader.text("model", lane.model);
  if (const TomlValue* model = reader.find("model")) check_model_known(problem, *model, lane.model, known.models);
  reader.word("strategy", {"simple-shuffle", "least-busy", "usage-based", "latency", "cost"}, lane.strategy);
  reader.texts("fallbacks", lane.fallbacks);
  check_fallbacks(problem, reader, lane, known);
  reader.texts("tags", lane.tags);
  lane.first_token_timeout = when_there<Millis>(reader, "first_token_timeout", [&](Millis& value) {
    reader.duration("first_token_timeout", k_some_time, value);
  });
  lane.hedge = read_hedge(reader);
  read_on_budget(problem, reader, known, lane);
  read_beside_editor(reader, table.key, lane);
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
      {"publisher", "context_window", "max_output_tokens", "price", "price_above_200k", "tags", "capabilities", "fim"});
  given.publisher = read_publisher(reader);
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
  given.fim = read_fim(reader);
  return given;
}

}  // namespace nemo::config
