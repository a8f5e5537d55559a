// One function per kind of table in nemo.toml. Each reports what is wrong to the problem it is given and returns what
// it could read; the caller throws the result away when there was a problem.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/catalog/catalog.h"
#include "daemon/config/parse_settings.h"
#include "daemon/config/settings.h"
#include "daemon/config/table_reader.h"
#include "daemon/config/toml_document.h"

namespace nemo::config {

inline constexpr std::string_view k_nemo_base_url = "https://api.nemorouter.ai/v1";
inline constexpr Millis k_some_time{1};  // the least that a timeout may be

// What a model or an upstream that is named elsewhere in the file is looked up in.
struct Known {
  const catalog::Catalog& models;
  const std::vector<Upstream>& upstreams;
};

Upstream read_upstream(FirstProblem& problem, const TomlValue& table, const FileExists& exists);
Deployment read_deployment(FirstProblem& problem, const TomlValue& table, const Known& known);
// `lane` comes with its defaults, which the table overrides.
Lane read_lane(FirstProblem& problem, const TomlValue& table, Lane lane, const Known& known);
Routing read_routing(FirstProblem& problem, const TomlValue& table);
Budgets read_budgets(FirstProblem& problem, const TomlValue& table);
Alerts read_alerts(FirstProblem& problem, const TomlValue& table);
catalog::ModelOverride read_model(FirstProblem& problem, const TomlValue& table);

// Reports an id that is not in the catalog, with the nearest ones.
void check_model_known(FirstProblem& problem, const TomlValue& at, std::string_view id, const catalog::Catalog& models);

}  // namespace nemo::config
