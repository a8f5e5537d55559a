#include <algorithm>

#include "daemon/admin/convert_report.h"
#include "daemon/admin/convert_route.h"
#include "daemon/admin/experiment_check.h"
#include "daemon/admin/replies.h"
#include "daemon/admin/routes.h"

namespace nemo::admin {
namespace {

using routing::ExperimentState;

constexpr int k_created = 201;

Result<routing::Experiment> find_experiment(const std::vector<routing::Experiment>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&name](const auto& one) { return one.name == name; });
  if (found != all.end()) return *found;
  return fail(ErrorKind::not_found, "there is no experiment \"" + name + "\"; see: nemo ab list");
}

Result<RouteCaller> find_caller(const std::string& id, access::KeyStore& store, WallTime now) {
  RouteCaller caller;
  if (id.empty()) return caller;
  const auto directory = store.load_directory();
  if (!directory) return directory.error();
  for (const access::VirtualKey& key : directory->keys) {
    if (key.id != id) continue;
    if (key.revoked_at) return fail(ErrorKind::key_revoked, "the key " + id + " is revoked");
    if (key.expires_at && *key.expires_at <= now) return fail(ErrorKind::key_expired, "the key " + id + " is expired");
    return RouteCaller{key.seat, key.models};
  }
  return fail(ErrorKind::not_found, "no key has the id \"" + id + "\"; see: nemo keys list", "key");
}

}  // namespace

AdminReply Routes::list_deployments(const AdminRequest& /*request*/, const Names& /*names*/) {
  return reply(m_control.deployments());
}

AdminReply Routes::explain_route(const AdminRequest& request, const Names& /*names*/) {
  const auto question = read_body<RouteQuestion>(request.body);
  if (!question) return reply_with(question.error());
  if (question->max_tokens.value_or(1) < 1) {
    return reply_with(fail(ErrorKind::invalid_request, "max_tokens takes a whole number from 1 on", "max_tokens"));
  }
  if (question->prompt_bytes < 0) {
    return reply_with(fail(ErrorKind::invalid_request, "prompt_bytes takes a whole number", "prompt_bytes"));
  }
  const auto caller = find_caller(question->key, m_store, m_clock.wall());
  if (!caller) return reply_with(caller.error());
  return reply(m_control.explain_route(to_spec(*question), *caller));
}

AdminReply Routes::list_experiments(const AdminRequest& /*request*/, const Names& /*names*/) {
  const auto all = m_control.experiments();
  if (!all) return reply_with(all.error());
  Json list = Json::array();
  for (const routing::Experiment& one : *all) list.push_back(to_view(one));
  return reply(list);
}

Status Routes::check_runnable(const routing::Experiment& experiment) {
  if (const auto lane = check_lane(experiment.lane, m_control.status().lanes); !lane) return lane;
  if (const auto arms = check_arms(experiment, m_control.models()); !arms) return arms;
  const auto directory = m_store.load_directory();
  if (!directory) return directory.error();
  return check_keys(experiment, directory->keys, m_clock.wall());
}

AdminReply Routes::create_experiment(const AdminRequest& request, const Names& /*names*/) {
  const auto wanted = read_body<ExperimentRequest>(request.body);
  if (!wanted) return reply_with(wanted.error());
  const auto experiment = to_experiment(*wanted, m_clock.wall());
  if (!experiment) return reply_with(experiment.error());
  if (const auto checked = routing::check(*experiment); !checked) return reply_with(checked.error());
  const std::lock_guard lock(m_change);
  if (const auto runnable = check_runnable(*experiment); !runnable) return reply_with(runnable.error());
  if (const auto added = m_control.add_experiment(*experiment); !added) return reply_with(added.error());
  return reply(to_view(*experiment), k_created);
}

AdminReply Routes::change_experiment(const std::string& name, ExperimentState state) {
  const std::lock_guard lock(m_change);
  const auto all = m_control.experiments();
  if (!all) return reply_with(all.error());
  const auto experiment = find_experiment(*all, name);
  if (!experiment) return reply_with(experiment.error());
  if (const auto step = routing::check_transition(experiment->state, state); !step) return reply_with(step.error());
  if (state == ExperimentState::running) {
    // What it was made with may have changed since.
    if (const auto runnable = check_runnable(*experiment); !runnable) return reply_with(runnable.error());
    if (const auto free = check_lane_is_free(*experiment, *all); !free) return reply_with(free.error());
  }
  const auto changed = m_control.set_experiment_state(name, state);
  return changed ? reply(to_view(*changed)) : reply_with(changed.error());
}

AdminReply Routes::start_experiment(const AdminRequest& /*request*/, const Names& names) {
  return change_experiment(names.front(), ExperimentState::running);
}

AdminReply Routes::pause_experiment(const AdminRequest& /*request*/, const Names& names) {
  return change_experiment(names.front(), ExperimentState::paused);
}

AdminReply Routes::stop_experiment(const AdminRequest& /*request*/, const Names& names) {
  return change_experiment(names.front(), ExperimentState::completed);
}

AdminReply Routes::report_experiment(const AdminRequest& /*request*/, const Names& names) {
  const auto all = m_control.experiments();
  if (!all) return reply_with(all.error());
  const auto experiment = find_experiment(*all, names.front());
  if (!experiment) return reply_with(experiment.error());
  const auto samples = m_history.experiment_samples(experiment->name);
  return samples ? reply(to_report(*experiment, *samples)) : reply_with(samples.error());
}

}  // namespace nemo::admin
