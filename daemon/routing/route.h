// Owns: which deployments may serve a call, in what order, and why. Pure: a function over a table and a request.
// Must not know: sockets, keys, what the answer will be.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/call/call_record.h"
#include "daemon/call/call_spec.h"
#include "daemon/catalog/catalog.h"
#include "daemon/routing/table.h"
#include "shared/result.h"

namespace nemo::routing {

// Why a deployment was left out; `none`: it was not.
enum class Exclusion : std::uint8_t { none, keyless, tags, unpriced, rate_limited, rpm_used_up };

struct Considered {
  const Deployment* deployment;
  const catalog::Model* model;
  Exclusion exclusion = Exclusion::none;
  Figures figures;   // of the moment
  double score = 0;  // by the strategy: lower is better
  bool is_fallback = false;
  bool explored = false;  // put first to be measured again
};

struct Decision {
  std::string lane;                       // by the shape of the call; empty for embeddings
  const catalog::Model* model = nullptr;  // of the first candidate; points into the catalog given to decide()
  std::string model_reason;
  struct Choice {
    const Deployment* deployment;
    const catalog::Model* model;
  };
  std::vector<Choice> choices;         // eligible, best first
  std::vector<Considered> considered;  // all of them: first those of `choices`, in that order
  Strategy strategy = Strategy::simple_shuffle;
  const Experiment* experiment = nullptr;  // that chose the model; points into the table
  const Arm* arm = nullptr;
};

// What the ledger keeps of the candidates, in words: "ttft 23 ms", "its tags do not match", …
std::vector<call::Candidate> explain(const Decision& decision);

// What a decision depends on beside the table and the request. `unit` is who an experiment sees: the seat; `request_id`
// is for experiments by request.
struct Circumstances {
  const std::vector<std::string>& allowed;  // models of the key; empty: every model
  std::string_view seat;
  std::string_view request_id;
  SteadyTime now;
  std::uint64_t random = 0;
};

// Candidates of the wanted model come before those of its fallbacks, lower orders before higher ones, and healthy
// deployments before cooling ones; among equals the lane's strategy decides. Pure but for the gauges, which it reads.
// Errors: invalid_request (no model for embeddings), model_not_found (with the nearest ids), model_not_priced,
// model_not_allowed, no_deployment_available (with retry_after_s when it is only a matter of time). What had been
// decided before an error is in `decision` all the same, so that a refused call can be explained too.
Status decide(const Table& table, const catalog::Catalog& catalog, const call::CallSpec& spec,
              const Circumstances& circumstances, Decision& decision);

// "completion" for fill-in-the-middle endpoints and small, tool-less chats with a low max_tokens; "reasoning" for the
// rest; empty for embeddings. `why` is set to the reason in words.
std::string lane_of(const call::CallSpec& spec, std::string& why);

}  // namespace nemo::routing
