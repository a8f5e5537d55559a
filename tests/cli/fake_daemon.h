// An admin edge with nothing behind it: a real AdminServer on a socket in a folder of its own, in front of a scripted
// Control and of stores in memory. Set the public members before calls are made.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "daemon/access/key_book.h"
#include "daemon/admin/admin_server.h"
#include "shared/guarded.h"
#include "tests/cli/memory_key_store.h"

namespace nemo::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nemo-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    m_path = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return m_path; }

 private:
  std::filesystem::path m_path;
};

class FixedClock final : public Clock {
 public:
  WallTime wall() const override {
    return std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{12};
  }
  SteadyTime steady() const override { return {}; }
};

class FakeControl final : public admin::Control {
 public:
  FakeControl(access::KeyStore& store, access::KeyBook& book) : m_store(store), m_book(book) {}

  admin::DaemonStatus the_status;
  std::vector<admin::Model> the_models;
  std::string the_config = "listen = \"127.0.0.1:6366\"\n";
  Result<std::vector<std::string>> reload_outcome = std::vector<std::string>();
  Status lane_outcome = Done{};
  Status login_outcome = Done{};
  Result<int> probe_outcome = 7;
  std::map<std::string, std::string> lanes;      // as set
  std::map<std::string, std::string> logged_in;  // upstream -> key

  admin::DaemonStatus status() override { return the_status; }
  std::vector<admin::Model> models() override { return the_models; }
  std::string config_text() override { return the_config; }
  Result<std::vector<std::string>> reload() override { return reload_outcome; }
  Status set_lane_model(const std::string& lane, const std::string& model) override {
    if (lane_outcome.ok()) lanes[lane] = model;
    return lane_outcome;
  }
  Status login(const std::string& upstream, const Secret& key) override {
    if (login_outcome.ok()) logged_in[upstream] = key.expose();
    return login_outcome;
  }
  Status logout(const std::string& upstream) override {
    if (logged_in.erase(upstream) == 0) return fail(ErrorKind::not_found, "no upstream is named " + upstream);
    return Done{};
  }
  Result<int> probe(const std::string& /*upstream*/) override { return probe_outcome; }

  Status directory_outcome = Done{};
  std::vector<budget::Standing> the_standings;
  std::vector<budget::Unsettled> the_unsettled;
  std::vector<budget::Alert> the_alerts;
  std::vector<std::string> releases;  // "id who: why"

  std::atomic<bool> changes_overlapped = false;

  Status directory_changed() override {
    if (m_changing.exchange(true)) changes_overlapped = true;
    const Status taken = take_directory();
    m_changing = false;
    return taken;
  }
  std::vector<budget::Standing> standings() override { return the_standings; }
  std::vector<budget::Unsettled> unsettled() override { return the_unsettled; }
  Status release_unsettled(std::int64_t id, const std::string& who, const std::string& why) override {
    if (std::erase_if(the_unsettled, [id](const auto& one) { return one.id == id; }) == 0) {
      return fail(ErrorKind::not_found, "nothing unsettled has the id " + std::to_string(id));
    }
    releases.push_back(std::to_string(id) + " " + who + ": " + why);
    return Done{};
  }
  std::vector<budget::Alert> alerts() override { return the_alerts; }

  std::vector<admin::Deployment> the_deployments;
  admin::RoutePlan the_plan;
  call::CallSpec asked_spec;  // of the last explain_route()
  admin::RouteCaller asked_caller;
  std::vector<routing::Experiment> the_experiments;
  Status experiment_outcome = Done{};

  std::vector<admin::Deployment> deployments() override { return the_deployments; }
  admin::RoutePlan explain_route(const call::CallSpec& spec, const admin::RouteCaller& caller) override {
    asked_spec = spec;
    asked_caller = caller;
    return the_plan;
  }
  Result<std::vector<routing::Experiment>> experiments() override { return the_experiments; }
  Status add_experiment(const routing::Experiment& experiment) override {
    if (!experiment_outcome) return experiment_outcome;
    for (const routing::Experiment& one : the_experiments) {
      if (one.name == experiment.name) return fail(ErrorKind::conflict, "there is one named " + one.name);
    }
    the_experiments.push_back(experiment);
    return Done{};
  }
  Result<routing::Experiment> set_experiment_state(const std::string& name, routing::ExperimentState state) override {
    if (!experiment_outcome) return experiment_outcome.error();
    for (routing::Experiment& one : the_experiments) {
      if (one.name != name) continue;
      one.state = state;
      if (!one.started_at) one.started_at = FixedClock().wall();
      return one;
    }
    return fail(ErrorKind::not_found, "none is named " + name);
  }

 private:
  Status take_directory() {
    constexpr int k_chances = 200;  // for another change to come in between
    if (!directory_outcome) return directory_outcome;
    auto directory = m_store.load_directory();
    for (int i = 0; i < k_chances; ++i) std::this_thread::yield();
    if (!directory) return directory.error();
    m_book.replace(std::move(directory).value());
    return Done{};
  }

  access::KeyStore& m_store;
  access::KeyBook& m_book;
  std::atomic<bool> m_changing = false;
};

class MemoryHistory final : public ledger::CallHistory {
 public:
  std::vector<ledger::UsageRow> usage_rows;
  Guarded<ledger::UsageQuery> last_usage_query;
  Guarded<ledger::CallFilter> last_filter;

  void add(call::CallRecord record) {
    m_rows.with([&record](auto& rows) {
      rows.push_back({static_cast<std::int64_t>(rows.size()) + 1, std::move(record)});
    });
  }
  Result<std::vector<ledger::CallRow>> find_calls(const ledger::CallFilter& filter) override {
    last_filter.with([&filter](auto& last) { last = filter; });
    return m_rows.with([&filter](auto& rows) {
      std::vector<ledger::CallRow> found;
      for (const ledger::CallRow& row : rows) {
        if (row.row <= filter.after_row.value_or(0)) continue;
        if (filter.seat && row.record.seat != *filter.seat) continue;
        found.push_back(row);
      }
      const auto limit = static_cast<std::size_t>(filter.limit);
      if (found.size() > limit) found.erase(found.begin(), found.end() - filter.limit);
      return found;
    });
  }
  Result<std::optional<call::CallRecord>> find_call(const std::string& id) override {
    return m_rows.with([&id](auto& rows) -> std::optional<call::CallRecord> {
      for (const ledger::CallRow& row : rows) {
        if (row.record.id == id) return row.record;
      }
      return std::nullopt;
    });
  }
  Result<std::vector<ledger::UsageRow>> usage(const ledger::UsageQuery& query) override {
    last_usage_query.with([&query](auto& last) { last = query; });
    return usage_rows;
  }
  std::vector<ledger::AcceptanceRow> acceptance_rows;
  Result<std::vector<ledger::AcceptanceRow>> acceptance(const ledger::UsageQuery& query) override {
    last_usage_query.with([&query](auto& last) { last = query; });
    return acceptance_rows;
  }
  std::vector<ledger::AccuracyRow> accuracy_rows;
  Guarded<std::optional<WallTime>> last_accuracy_since;
  Result<std::vector<ledger::AccuracyRow>> accuracy(std::optional<WallTime> since) override {
    last_accuracy_since.with([since](auto& last) { last = since; });
    return accuracy_rows;
  }
  ledger::ExperimentSamples samples;
  Result<ledger::ExperimentSamples> experiment_samples(const std::string& /*experiment*/) override { return samples; }

 private:
  Guarded<std::vector<ledger::CallRow>> m_rows;
};

// A call as the ledger keeps it, with two attempts.
inline call::CallRecord sample_call(const std::string& id) {
  call::CallRecord record;
  record.id = id;
  record.at = FixedClock().wall();
  record.key = "key_abc";
  record.seat = "alice";
  record.team = "core";
  record.lane = "completion";
  record.requested_model = "nemo/auto";
  record.model = "gemini-2.5-flash";
  record.upstream = "vertex-eu";
  record.deployment = "vertex-eu/gemini-2.5-flash";
  record.http_status = 200;
  record.stream = true;
  record.latency = Micros{1'234'500};
  record.ttft = Micros{312'000};
  record.overhead = Micros{420};
  record.usage = {1'200, 200, 340, 40, call::UsageSource::provider};
  record.cost = NanoUsd{1'156'000};
  record.attempts = 2;
  record.client = "OpenAI/JS";
  record.tags = {"code"};
  record.trace.model_reason = "lane completion: fill in the middle";
  record.trace.strategy = "latency";
  record.trace.candidates = {{"nemo/gemini-2.5-flash", "order 1", true, "ttft 23 ms, score 23"},
                             {"vertex-eu/gemini-2.5-flash", "order 2", true, "2 in flight"},
                             {"local/gemini-2.5-flash", "no key", false, ""}};
  record.trace.attempts = {
      {"nemo/gemini-2.5-flash", "nemo", 503, "upstream_error", "overloaded", 300, 88'000, {}, ""},
      {"vertex-eu/gemini-2.5-flash", "vertex-eu", 200, "", "", 88'400, 1'146'000, {}, "token renewed"}};
  return record;
}

struct FakeDaemon {
  TemporaryFolder folder;
  FixedClock clock;
  access::KeyBook book;
  MemoryKeyStore store;
  FakeControl control{store, book};
  MemoryHistory history;
  admin::AdminServer server{control, store, history, clock};
  std::filesystem::path socket = folder.path() / "run" / "nemod.sock";

  FakeDaemon() {
    control.the_status.version = "0.1.0";
    control.the_status.pid = 4711;
    control.the_status.url = "http://127.0.0.1:6366";
    control.the_status.data_folder = folder.path().string();
    control.the_status.config_file = (folder.path() / "nemo.toml").string();
    control.the_status.keys = 1;
    control.the_status.upstreams = {
        {"nemo", "nemo", "https://api.example.test/v1", "ok", "secret:nemo", "reachable", "", 7}};
    control.the_status.lanes = {{"completion", "gemini-2.5-flash", "latency"}};
  }
  void start() {
    const Status started = server.start(socket);
    if (!started) throw std::runtime_error(started.error().message);
  }
};

}  // namespace nemo::test
