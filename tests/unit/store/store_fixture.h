// What the stories of this folder share: a clock that stands still, calls, and a database without its daemon.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "daemon/call/call_record.h"
#include "daemon/store/sqlite_store.h"
#include "shared/clock.h"
#include "temp_folder.h"

namespace nemo::test {

// 2026-11-22T00:00:00Z
inline constexpr WallTime k_today{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}};

class StillClock final : public Clock {
 public:
  WallTime wall() const override { return WallTime(Micros(m_micros.load())); }
  SteadyTime steady() const override { return SteadyTime{}; }
  void set(WallTime time) { m_micros = time.time_since_epoch().count(); }

 private:
  std::atomic<std::int64_t> m_micros{k_today.time_since_epoch().count()};
};

inline call::CallRecord make_call(const std::string& id, WallTime at = k_today) {
  call::CallRecord record;
  record.id = id;
  record.at = at;
  record.key = "key_a";
  record.seat = "anna";
  record.team = "core";
  record.model = "gemini-2.5-flash";
  record.requested_model = record.model;
  record.upstream = "vertex-eu";
  record.lane = "completion";
  record.http_status = 200;
  record.client = "curl";
  record.usage = {100, 20, 30, 5, call::UsageSource::provider, 15};
  record.cost = NanoUsd{1500};
  return record;
}

// A call whose every grouping field is drawn from a few values, some of them empty.
inline call::CallRecord make_random_call(std::mt19937& random, int number) {
  const auto pick = [&](std::vector<std::string> from) { return from[random() % from.size()]; };
  const auto below = [&](std::uint32_t limit) { return static_cast<std::int64_t>(random() % limit); };
  // Ten days, to the microsecond.
  const Micros offset(below(864'000) * 1'000'000 + below(1'000'000));
  call::CallRecord record = make_call("req_" + std::to_string(number), k_today + offset);
  record.key = pick({"", "key_a", "key_b", "key_c"});
  record.seat = pick({"local", "anna", "ben"});
  record.team = pick({"", "core", "tools"});
  record.model = pick({"", "gemini-2.5-flash", "gemini-2.5-pro", "o'brien\"s"});
  record.lane = pick({"", "completion", "reasoning"});
  record.client = pick({"", "curl", "OpenAI/JS"});
  record.upstream = pick({"", "nemo", "vertex-eu"});
  record.origin.project = pick({"", "/home/anna/api", "/home/anna/web", "/srv/api"});
  record.origin.branch = pick({"", "main"});
  record.outcome = static_cast<call::Outcome>(below(4));
  record.usage = {below(100'000), below(1000), below(5000), below(100), call::UsageSource::provider, below(500)};
  record.cost = NanoUsd{below(4'000'000'000U)};
  if (below(3) == 0) record.accepted = below(2) == 0;
  if (below(2) == 0) record.tags.push_back(pick({"code", "eu"}));
  if (below(3) == 0) record.tags.push_back(pick({"code", "team \"x\""}));
  return record;
}

inline std::unique_ptr<store::SqliteStore> open_store(const std::filesystem::path& folder, const Clock& clock,
                                                      int retention_days = 0) {
  auto opened = store::SqliteStore::open(folder, {retention_days, &clock});
  if (!opened.ok()) throw std::runtime_error(opened.error().message);
  return std::move(*opened);
}

}  // namespace nemo::test
