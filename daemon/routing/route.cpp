#include "daemon/routing/route.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "daemon/routing/draws.h"
#include "daemon/routing/reasons.h"
#include "daemon/routing/strategy.h"
#include "daemon/routing/wanted.h"

namespace nemo::routing {
namespace {

constexpr std::size_t k_usual_candidates = 64;

bool contains(const std::vector<std::string>& list, std::string_view what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

// All tags must match; "!tag" must not. Metadata such as "team:growth" attributes spend and chooses nothing.
bool tags_match(const std::vector<std::string>& tags, const catalog::Model& model, const Deployment& deployment) {
  return std::all_of(tags.begin(), tags.end(), [&](const std::string& tag) {
    if (tag.find(':') != std::string::npos) return true;
    const bool must_not = tag.starts_with('!');
    const std::string_view name = must_not ? std::string_view(tag).substr(1) : std::string_view(tag);
    return (contains(model.tags, name) || contains(deployment.tags, name)) != must_not;
  });
}

Exclusion exclusion_of(const Considered& one, const std::vector<std::string>& tags) {
  const Deployment& deployment = *one.deployment;
  if (deployment.keyless) return Exclusion::keyless;
  if (!tags.empty() && !tags_match(tags, *one.model, deployment)) return Exclusion::tags;
  if (!one.model->pricing && !deployment.unpriced_allowed) return Exclusion::unpriced;
  if (one.figures.condition == Condition::rate_limited) return Exclusion::rate_limited;
  if (deployment.rpm && one.figures.calls_this_minute >= *deployment.rpm) return Exclusion::rpm_used_up;
  return Exclusion::none;
}

// Every deployment of the wanted models, model by model.
std::vector<Considered> consider(const Table& table, const Wanted& wanted, std::string_view lane, Answering answering,
                                 SteadyTime now) {
  std::vector<Considered> all;
  all.reserve(std::min(table.deployments.size(), k_usual_candidates));
  for (const catalog::Model* model : wanted.models) {
    for (const Deployment& deployment : table.deployments) {
      if (deployment.model != model->id) continue;
      // Filled in place: a copy of each would be a tenth of what a decision costs.
      Considered& one = all.emplace_back();
      one.deployment = &deployment;
      one.model = model;
      one.figures = deployment.gauge->figures(lane, answering, now);
      one.is_fallback = model != wanted.models.front();
      one.exclusion = exclusion_of(one, *wanted.tags);
    }
  }
  return all;
}

// Those that may be used, best first.
std::vector<Contender> in_order(const std::vector<Considered>& all, Strategy strategy, std::uint64_t random) {
  std::vector<Contender> contenders;
  contenders.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Considered& one = all[i];
    if (one.exclusion != Exclusion::none) continue;
    Contender& contender = contenders.emplace_back();
    contender.figures = &one.figures;
    contender.weight = one.deployment->weight;
    contender.rpm = one.deployment->rpm;
    if (strategy == Strategy::cost) contender.price = usual_price(*one.model);
    contender.at = i;
  }
  // `all` is model by model, the wanted one first: where a model begins is its place.
  const auto is_before = [&](const Contender& a, const Contender& b) {
    const Considered& x = all[a.at];
    const Considered& y = all[b.at];
    const bool x_cools = x.figures.condition == Condition::cooling;
    const bool y_cools = y.figures.condition == Condition::cooling;
    if (x_cools != y_cools) return y_cools;
    return x.model == y.model ? x.deployment->order < y.deployment->order : a.at < b.at;
  };
  if (!std::is_sorted(contenders.begin(), contenders.end(), is_before)) {
    std::stable_sort(contenders.begin(), contenders.end(), is_before);
  }
  Draws draws(random);
  for (auto first = contenders.begin(); first != contenders.end();) {
    const auto end =
        std::find_if(first, contenders.end(), [&](const Contender& one) { return is_before(*first, one); });
    rank(strategy, {first, end}, draws.next());
    first = end;
  }
  return contenders;
}

// Moves `all` into the decision: those in `contenders` first.
void note_candidates(std::vector<Considered>& all, const std::vector<Contender>& contenders, Decision& decision) {
  decision.choices.reserve(contenders.size());
  decision.considered.reserve(all.size());
  for (const Contender& one : contenders) {
    Considered& from = all[one.at];
    decision.choices.push_back({from.deployment, from.model});
    Considered& to = decision.considered.emplace_back(std::move(from));
    to.score = one.score;
    to.explored = one.explored;
  }
  for (Considered& one : all) {
    if (one.exclusion != Exclusion::none) decision.considered.push_back(std::move(one));
  }
}

// How long until one of those that are only left out for a time may be used.
std::optional<std::int64_t> seconds_until_one(const Decision& decision, SteadyTime now) {
  std::optional<Micros> soonest;
  for (const Considered& one : decision.considered) {
    std::optional<Micros> wait;
    if (one.exclusion == Exclusion::rate_limited) wait = one.figures.until_ready;
    if (one.exclusion == Exclusion::rpm_used_up) {
      wait = one.deployment->gauge->until_fewer_than(*one.deployment->rpm, now);
    }
    if (wait && (!soonest || *wait < *soonest)) soonest = wait;
  }
  if (!soonest) return std::nullopt;
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(*soonest).count());
}

Error nothing_eligible(const Decision& decision, const catalog::Model& model, SteadyTime now) {
  if (decision.considered.empty()) {
    return fail(ErrorKind::no_deployment_available,
                "No upstream serves \"" + model.id + "\". `nemo models` shows which models are served where.", "model");
  }
  const auto unpriced = std::all_of(decision.considered.begin(), decision.considered.end(),
                                    [](const Considered& one) { return one.exclusion == Exclusion::unpriced; });
  if (unpriced) {
    return fail(ErrorKind::model_not_priced,
                "\"" + model.id + "\" has no price. Give it one in the config ([model.\"" + model.id +
                    "\"] price = {…}), or say unpriced = \"allow\" at its upstream.",
                "model");
  }
  std::string message = "No deployment of \"" + model.id + "\" can be used:";
  for (const Considered& one : decision.considered) {
    message.append(" ").append(one.deployment->id).append(" (").append(reason_of(one)).append(")");
  }
  Error error = fail(ErrorKind::no_deployment_available, message + ".", "model");
  error.retry_after_s = seconds_until_one(decision, now);
  return error;
}

}  // namespace

Status decide(const Table& table, const catalog::Catalog& catalog, const call::CallSpec& spec,
              const Circumstances& circumstances, Decision& decision) {
  std::string lane_reason;
  decision.lane = lane_of(spec, lane_reason);
  if (spec.model.starts_with("nemo/") && spec.model != "nemo/auto") decision.lane = spec.model.substr(5);
  auto wanted = wanted_models(table, catalog, spec, decision.lane, lane_reason,
                              {circumstances.allowed, circumstances.seat, circumstances.request_id});
  if (!wanted) return wanted.error();
  decision.model_reason = std::move(wanted->reason);
  decision.model = wanted->models.front();
  decision.experiment = wanted->experiment;
  decision.arm = wanted->arm;
  const auto lane = table.lanes.find(decision.lane);
  if (lane != table.lanes.end()) decision.strategy = lane->second.strategy;
  const Answering answering = spec.stream ? Answering::streamed : Answering::whole;
  auto all = consider(table, *wanted, decision.lane, answering, circumstances.now);
  note_candidates(all, in_order(all, decision.strategy, circumstances.random), decision);
  if (decision.choices.empty()) return nothing_eligible(decision, *decision.model, circumstances.now);
  decision.model = decision.choices.front().model;
  return Done{};
}

}  // namespace nemo::routing
