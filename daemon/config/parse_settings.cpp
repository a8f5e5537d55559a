#include "daemon/config/parse_settings.h"

#include <set>
#include <tuple>
#include <utility>

#include "daemon/config/section_readers.h"
#include "daemon/config/table_reader.h"
#include "daemon/config/toml_document.h"
#include "daemon/config/written_forms.h"
#include "shared/resemblance.h"

namespace nemo::config {
namespace {

constexpr std::int64_t k_most_days = 36'500;
constexpr std::int64_t k_most_body_mib = 1'024;
constexpr std::string_view k_own_names = "nemo/";  // nemo/auto, nemo/completion, …

Upstream default_upstream() {
  Upstream nemo;
  nemo.name = "nemo";
  nemo.kind = UpstreamKind::nemo;
  nemo.base_url = k_nemo_base_url;
  nemo.key = {SecretRef::Kind::secret, "nemo"};
  return nemo;
}

std::map<std::string, Lane> default_lanes() {
  Lane completion;
  completion.model = "gemini-2.5-flash";
  completion.strategy = "latency";
  completion.remember = std::chrono::minutes(10);
  Lane reasoning;
  reasoning.model = "gemini-2.5-pro";
  reasoning.strategy = "least-busy";
  return {{"completion", completion}, {"reasoning", reasoning}};
}

// Whether other machines could call, without anybody having said that they may.
Status check_reach(const Settings& settings, const ListenAddress& address) {
  if (settings.allow_remote || is_loopback(address.host)) return Done{};
  return fail(ErrorKind::invalid_config, to_text(address) +
                                             " can be reached from other machines; listen on 127.0.0.1, or write "
                                             "allow_remote = true to say that this is meant");
}

// Reads the whole file in the order in which its parts need each other.
class SettingsReader {
 public:
  SettingsReader(const TomlValue& root, std::string_view file_name, const FileExists& exists)
      : m_problem(file_name),
        m_exists(exists),
        m_root(m_problem, root, "the file",
               {"listen",        "ollama_listen", "allow_remote",    "allowed_origins", "allowed_hosts",
                "require_key",   "whose_work",    "content_logging", "retention_days",  "max_body_mib",
                "drain_timeout", "time_zone",     "upstream",        "deployment",      "lane",
                "routing",       "budgets",       "alerts",          "model",           "alias"}) {}

  Result<Settings> read() {
    read_edge();
    read_upstreams();
    read_models();
    const catalog::Catalog models(m_settings.models);
    check_tiers(models);
    const Known known{models, m_settings.upstreams};
    read_deployments(known);
    read_lanes(known);
    if (const TomlValue* routing = m_root.find("routing")) m_settings.routing = read_routing(m_problem, *routing);
    if (const TomlValue* budgets = m_root.find("budgets")) m_settings.budgets = read_budgets(m_problem, *budgets);
    if (const TomlValue* alerts = m_root.find("alerts")) m_settings.alerts = read_alerts(m_problem, *alerts);
    read_aliases(models);
    if (m_problem.error()) return *m_problem.error();
    return std::move(m_settings);
  }

 private:
  void read_edge() {
    m_root.truth("allow_remote", m_settings.allow_remote);
    Done set;
    m_root.parsed(
        "listen", [this](std::string_view text) { return set_listen(m_settings, text); }, set);
    m_root.parsed("ollama_listen", parse_ollama_listen, m_settings.ollama_listen);
    if (const auto fine = check_reach(m_settings, {m_settings.ollama_listen.host, m_settings.ollama_listen.port});
        !fine) {
      m_root.report("ollama_listen", fine.error().message);
    }
    m_root.texts("allowed_origins", m_settings.allowed_origins);
    check_each("allowed_origins", check_origin);
    m_root.texts("allowed_hosts", m_settings.allowed_hosts);
    check_each("allowed_hosts", check_host);
    m_root.truth("require_key", m_settings.require_key);
    m_root.truth("whose_work", m_settings.whose_work);
    m_root.choice<ContentLogging>("content_logging",
                                  {{"none", ContentLogging::none},
                                   {"metadata", ContentLogging::metadata},
                                   {"redacted", ContentLogging::redacted},
                                   {"full", ContentLogging::full}},
                                  m_settings.content_logging);
    m_root.integer("retention_days", 1, k_most_days, m_settings.retention_days);
    if (m_root.find("max_body_mib") != nullptr) {
      std::size_t mib = 0;
      m_root.integer("max_body_mib", 1, k_most_body_mib, mib);
      m_settings.max_body_bytes = mib << 20U;
    }
    m_root.duration("drain_timeout", Millis{0}, m_settings.drain_timeout);
    m_root.text("time_zone", m_settings.time_zone);
  }

  template <typename Check>
  void check_each(std::string_view key, Check check) {
    const TomlValue* list = m_root.find(key);
    if (list == nullptr) return;
    for (const TomlValue& item : list->children) {
      const Status fine = check(item.text);
      if (!fine) m_problem.report(item.begin, std::string(key) + ": " + fine.error().message);
    }
  }

  // The tables of [[key]], none when there are none.
  std::vector<const TomlValue*> tables(std::string_view key) {
    std::vector<const TomlValue*> found;
    const TomlValue* list = m_root.find(key);
    if (list == nullptr) return found;
    if (list->kind != TomlValue::Kind::list) {
      const std::string name(key);
      m_problem.report(list->begin,
                       name + " is a list of tables; write [[" + name + "]] with two brackets on each side");
      return found;
    }
    for (const TomlValue& each : list->children) found.push_back(&each);
    return found;
  }

  // The members of [key.NAME], none when there are none.
  const std::vector<TomlValue>& members(std::string_view key) {
    static const std::vector<TomlValue> k_none;
    const TomlValue* table = m_root.expect(key, TomlValue::Kind::table);
    return table == nullptr ? k_none : table->children;
  }

  void read_upstreams() {
    for (const TomlValue* table : tables("upstream")) {
      Upstream upstream = read_upstream(m_problem, *table, m_exists);
      if (m_settings.find_upstream(upstream.name) != nullptr) {
        m_problem.report(table->find("name") != nullptr ? table->find("name")->begin : table->begin,
                         "a second [[upstream]] is called " + shown(upstream.name) + "; give each its own name");
      }
      m_settings.upstreams.push_back(std::move(upstream));
    }
    if (m_settings.upstreams.empty()) m_settings.upstreams.push_back(default_upstream());
  }

  void read_models() {
    for (const TomlValue& table : members("model")) {
      if (table.key.empty()) m_problem.report(table.key_at, "a model without a name; write [model.\"ID\"]");
      m_settings.models.emplace(table.key, read_model(m_problem, table));
    }
  }

  void check_tiers(const catalog::Catalog& models) {
    for (const TomlValue& table : members("model")) {
      const catalog::Model* model = models.find(table.key);
      if (table.find("price_above_200k") == nullptr || (model != nullptr && model->pricing)) continue;
      m_problem.report(table.find("price_above_200k")->begin,
                       "price_above_200k without a price; write price = { input = …, output = … } too");
    }
  }

  void read_deployments(const Known& known) {
    using Tags = std::set<std::string>;
    std::set<std::tuple<std::string, std::string, std::string, Tags>> seen;
    for (const TomlValue* table : tables("deployment")) {
      Deployment read = read_deployment(m_problem, *table, known);
      if (!seen.emplace(read.model, read.upstream, read.upstream_model, Tags(read.tags.begin(), read.tags.end()))
               .second) {
        m_problem.report(table->begin, "this [[deployment]] is there already; to send it more calls raise its weight");
      }
      m_settings.deployments.push_back(std::move(read));
    }
    check_weights();
  }

  // An upstream without deployments of its own may serve any model: a weight of 0 elsewhere then only drains.
  void check_weights() {
    std::set<std::string> explicit_upstreams;
    std::set<std::string> weighty_models;
    for (const Deployment& each : m_settings.deployments) {
      explicit_upstreams.insert(each.upstream);
      if (each.weight > 0) weighty_models.insert(each.model);
    }
    if (explicit_upstreams.size() < m_settings.upstreams.size()) return;
    for (const TomlValue* table : tables("deployment")) {
      const TomlValue* model = table->find("model");
      if (model == nullptr || weighty_models.contains(model->text)) continue;
      m_problem.report(table->find("weight") != nullptr ? table->find("weight")->begin : table->begin,
                       "weight in [[deployment]]: every deployment of " + shown(model->text) +
                           " has weight 0, so none would be called; give one of them a weight of at least 1");
    }
  }

  void read_lanes(const Known& known) {
    const auto defaults = default_lanes();
    m_settings.lanes = defaults;
    for (const TomlValue& table : members("lane")) {
      check_lane_name(table, defaults);
      Lane lane;
      lane.strategy = "simple-shuffle";
      const auto known_lane = defaults.find(table.key);
      if (known_lane != defaults.end()) lane = known_lane->second;
      m_settings.lanes.insert_or_assign(table.key, read_lane(m_problem, table, std::move(lane), known));
    }
  }

  // A lane may have any name, so a misspelt "completion" would be a lane that nobody calls.
  void check_lane_name(const TomlValue& table, const std::map<std::string, Lane>& defaults) {
    if (table.key == "auto" || table.key.empty() || table.key.size() > 64) {
      m_problem.report(table.key_at, "a lane cannot be called " + shown(table.key));
      return;
    }
    if (defaults.count(table.key) > 0) return;
    for (const auto& [name, lane] : defaults) {
      if (edit_distance(table.key, name) > 2) continue;
      m_problem.report(table.key_at,
                       "no lane is called " + shown(table.key) + "; did you mean " + toml_quoted(name) + "?");
    }
  }

  void read_aliases(const catalog::Catalog& models) {
    for (const TomlValue& alias : members("alias")) {
      if (alias.kind != TomlValue::Kind::text) {
        m_problem.report(alias.begin, "an alias is a text: \"my-name\" = \"gemini-2.5-flash\"");
        continue;
      }
      if (alias.key.empty() || models.find(alias.key) != nullptr || alias.key.starts_with(k_own_names)) {
        m_problem.report(alias.key_at,
                         shown(alias.key) + " is a name already; an alias needs one that no model and no lane has");
      }
      check_model_known(m_problem, alias, alias.text, models);
      m_settings.aliases.emplace(alias.key, alias.text);
    }
  }

  FirstProblem m_problem;
  const FileExists& m_exists;
  TableReader m_root;
  Settings m_settings;
};

}  // namespace

Result<Settings> parse_settings(std::string_view text, std::string_view file_name, const FileExists& exists) {
  const auto root = read_toml(text, file_name);
  if (!root) return root.error();
  return SettingsReader(*root, file_name, exists).read();
}

Status set_listen(Settings& settings, std::string_view text) {
  const auto address = parse_listen(text);
  if (!address) return address.error();
  if (Status fine = check_reach(settings, *address); !fine) return fine;
  settings.listen_host = address->host;
  settings.listen_port = address->port;
  return Done{};
}

}  // namespace nemo::config
