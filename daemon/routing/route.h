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
#include "shared/result.h"

namespace nemo::routing {

struct Deployment {
  std::string id;     // "gemini-2.5-flash@nemo"
  std::string model;  // catalog id
  std::string upstream;
  std::string upstream_model;  // what goes into the request
  int order = 1;
  int weight = 1;
  std::vector<std::string> tags;
  bool drain_on_disconnect = false;
  bool unpriced_allowed = false;
  bool keyless = false;  // its upstream needs a key and has none: never eligible, but named in the reasons
};

struct Lane {
  std::string model;
  std::vector<std::string> fallbacks;
  std::vector<std::string> tags;
};

// Everything a decision looks at. Immutable; built anew when the config or an upstream's model list changes.
struct Table {
  std::vector<Deployment> deployments;
  std::map<std::string, Lane> lanes;
  std::map<std::string, std::string> aliases;
};

struct Decision {
  std::string lane;                       // by the shape of the call; empty for embeddings
  const catalog::Model* model = nullptr;  // of the first candidate; points into the catalog given to decide()
  std::string model_reason;
  struct Choice {
    const Deployment* deployment;
    const catalog::Model* model;
  };
  std::vector<Choice> choices;              // eligible, best first
  std::vector<call::Candidate> considered;  // all of them, with reasons
};

// Errors: invalid_request (no model for embeddings), model_not_found (with the nearest ids), model_not_priced,
// model_not_allowed, no_deployment_available. What had been decided before an error is in `decision` all the same, so
// that a refused call can be explained too. `allowed` empty: every model.
Status decide(const Table& table, const catalog::Catalog& catalog, const call::CallSpec& spec,
              const std::vector<std::string>& allowed, Decision& decision);

// "completion" for fill-in-the-middle endpoints and small, tool-less chats with a low max_tokens; "reasoning" for the
// rest; empty for embeddings. `why` is set to the reason in words.
std::string lane_of(const call::CallSpec& spec, std::string& why);

// What the config says of upstreams, and what their own lists say, as deployments. An upstream without explicit
// deployments serves every catalog model that it lists; while its list is not known, every catalog model.
struct UpstreamFacts {
  std::string name;
  bool unpriced_allowed = false;
  bool keyless = false;
  std::optional<std::set<std::string>> listed;  // absent: not known (yet)
};
void add_implicit_deployments(Table& table, const catalog::Catalog& catalog, const UpstreamFacts& upstream);

}  // namespace nemo::routing
