#include "daemon/admin/convert.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "daemon/admin/convert_terms.h"
#include "shared/admin/timestamp.h"
#include "shared/money.h"

namespace nemo::admin {
namespace {

using ledger::StatusFilter;
using ledger::UsageGroup;

constexpr std::array<std::pair<std::string_view, UsageGroup>, 11> k_groups{{{"key", UsageGroup::key},
                                                                            {"seat", UsageGroup::seat},
                                                                            {"team", UsageGroup::team},
                                                                            {"model", UsageGroup::model},
                                                                            {"lane", UsageGroup::lane},
                                                                            {"day", UsageGroup::day},
                                                                            {"hour", UsageGroup::hour},
                                                                            {"client", UsageGroup::client},
                                                                            {"tag", UsageGroup::tag},
                                                                            {"upstream", UsageGroup::upstream},
                                                                            {"project", UsageGroup::project}}};

constexpr std::array<std::pair<std::string_view, StatusFilter>, 4> k_statuses{{{"ok", StatusFilter::ok},
                                                                               {"error", StatusFilter::error},
                                                                               {"cancelled", StatusFilter::cancelled},
                                                                               {"refused", StatusFilter::refused}}};

double to_ms(std::int64_t micros) {
  return static_cast<double>(micros) / 1000.0;
}

std::optional<std::string> find(const Parameters& parameters, const char* name) {
  const auto found = parameters.find(name);
  if (found == parameters.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

Result<std::optional<std::int64_t>> find_number(const Parameters& parameters, const char* name) {
  const auto text = find(parameters, name);
  if (!text) return std::optional<std::int64_t>{};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < 0) {
    return fail(ErrorKind::invalid_request, std::string(name) + " takes a whole number, not \"" + *text + "\"", name);
  }
  return std::optional{number};
}

Status read_status(const Parameters& parameters, ledger::CallFilter& filter) {
  const auto text = find(parameters, "status");
  if (!text) return Done{};
  for (const auto& [name, status] : k_statuses) {
    if (*text != name) continue;
    filter.status = status;
    return Done{};
  }
  int number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error == std::errc() && end == text->data() + text->size() && number >= 100 && number <= 599) {
    filter.http_status = number;
    return Done{};
  }
  return fail(ErrorKind::invalid_request,
              "status takes ok, error, cancelled, refused or an HTTP status, not \"" + *text + "\"", "status");
}

std::string_view state_of(const access::VirtualKey& key, WallTime now) {
  if (key.revoked_at) return "revoked";
  if (key.expires_at && *key.expires_at <= now) return "expired";
  return "active";
}

Terms terms_of(const access::Directory& directory, call::ScopeKind kind, const std::string& name) {
  const auto found = directory.terms.find({kind, name});
  return found == directory.terms.end() ? Terms{} : to_terms(found->second);
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  const auto at = std::lower_bound(names.begin(), names.end(), name);
  if (!name.empty() && (at == names.end() || *at != name)) names.insert(at, name);
}

// The ledger has the costs of attempts that were given up; what is left of the call's is the answering one's.
NanoUsd cost_of(const call::Attempt& attempt, const call::CallRecord& record) {
  const auto& attempts = record.trace.attempts;
  const auto last = std::find_if(attempts.rbegin(), attempts.rend(), [&record](const call::Attempt& one) {
    return one.deployment == record.deployment && one.http_status != 0;
  });
  if (last == attempts.rend() || &*last != &attempt) return attempt.cost;
  NanoUsd rest = record.cost;
  for (const call::Attempt& one : attempts) {
    if (&one != &attempt) rest = rest - one.cost;
  }
  return std::max(rest, NanoUsd{});
}

}  // namespace

Result<std::optional<WallTime>> find_time(const Parameters& parameters, const char* name) {
  const auto text = find(parameters, name);
  if (!text) return std::optional<WallTime>{};
  const auto time = parse_rfc3339(*text);
  if (!time) return fail(ErrorKind::invalid_request, std::string(name) + ": " + time.error().message, name);
  return std::optional{*time};
}

Paths to_paths(const Parameters& parameters) {
  return find(parameters, "paths").value_or("") == "true" ? Paths::whole : Paths::names;
}

Call to_call(std::int64_t row, const call::CallRecord& record, Paths paths) {
  Call call;
  call.row = row;
  call.id = record.id;
  call.at = to_rfc3339(record.at);
  call.key = record.key;
  call.seat = record.seat;
  call.team = record.team;
  call.surface = to_string(record.surface);
  call.lane = record.lane;
  call.model = record.model;
  call.upstream = record.upstream;
  call.deployment = record.deployment;
  call.status = to_string(record.outcome);
  call.http_status = record.http_status;
  call.error_code = record.error_code;
  call.stream = record.stream;
  call.latency_ms = to_ms(record.latency.count());
  if (record.ttft) call.ttft_ms = to_ms(record.ttft->count());
  call.overhead_us = record.overhead.count();
  call.input_tokens = record.usage.input_tokens;
  call.cached_tokens = record.usage.cached_tokens;
  call.output_tokens = record.usage.output_tokens;
  call.reasoning_tokens = record.usage.reasoning_tokens;
  call.usage_source = to_string(record.usage.source);
  call.cost = to_dollars(record.cost);
  call.cache = record.cache;
  call.attempts = record.attempts;
  call.experiment = record.experiment;
  call.arm = record.arm;
  call.client = record.client;
  call.process = record.origin.process;
  call.project = paths == Paths::whole ? record.origin.project : call::project_name(record.origin.project);
  call.branch = record.origin.branch;
  call.tags = record.tags;
  call.reserved = to_dollars(record.reserved);
  call.estimated_tokens = record.estimated_tokens;
  call.budget_fallback = record.budget_fallback;
  call.accepted = record.accepted;
  call.suggested_bytes = record.suggested_bytes;
  call.accepted_bytes = record.accepted_bytes;
  call.cache_write_tokens = record.usage.cache_write_tokens;
  return call;
}

CallStory to_story(const call::CallRecord& record, Paths paths) {
  CallStory story;
  story.call = to_call(0, record, paths);
  story.requested_model = record.requested_model;
  story.model_reason = record.trace.model_reason;
  story.strategy = record.trace.strategy;
  for (const call::Candidate& candidate : record.trace.candidates) {
    story.candidates.push_back({candidate.deployment, candidate.reason, candidate.eligible, candidate.figures});
  }
  for (const call::Attempt& attempt : record.trace.attempts) {
    story.attempts.push_back({attempt.deployment, attempt.upstream, attempt.http_status, attempt.error_code,
                              attempt.error, to_ms(attempt.started_us), to_ms(attempt.took_us),
                              to_dollars(cost_of(attempt, record)), attempt.note});
  }
  return story;
}

Key to_key(const access::VirtualKey& key, const access::Directory& directory, WallTime now) {
  Key view;
  view.id = key.id;
  view.hint = "…" + key.last4;
  view.seat = key.seat;
  view.team = key.team;
  view.models = key.models;
  view.created_at = to_rfc3339(key.created_at);
  if (key.expires_at) view.expires_at = to_rfc3339(*key.expires_at);
  if (key.revoked_at) view.revoked_at = to_rfc3339(*key.revoked_at);
  view.state = state_of(key, now);
  view.terms = terms_of(directory, call::ScopeKind::key, key.id);
  if (key.last_used_at) view.last_used_at = to_rfc3339(*key.last_used_at);
  if (key.old_secret && key.old_secret->ends_at > now && view.state == "active") {
    view.old_hint = "…" + key.old_secret->last4;
    view.old_works_until = to_rfc3339(key.old_secret->ends_at);
  }
  return view;
}

std::vector<Team> to_teams(const access::Directory& directory) {
  std::vector<Team> teams;
  for (const access::Team& team : directory.teams) {
    Team view;
    view.name = team.name;
    view.created_at = to_rfc3339(team.created_at);
    for (const access::VirtualKey& key : directory.keys) {
      if (key.team != team.name || key.revoked_at) continue;
      ++view.keys;
      add_once(view.seats, key.seat);
    }
    view.terms = terms_of(directory, call::ScopeKind::team, team.name);
    teams.push_back(std::move(view));
  }
  return teams;
}

std::vector<Seat> to_seats(const access::Directory& directory) {
  std::map<std::string, Seat> seats;
  for (const access::VirtualKey& key : directory.keys) {
    Seat& seat = seats[key.seat];
    // RFC 3339 of one form sorts as time does.
    if (key.last_used_at) seat.last_used_at = std::max(seat.last_used_at, to_rfc3339(*key.last_used_at));
    if (key.revoked_at) continue;
    ++seat.keys;
    add_once(seat.teams, key.team);
  }
  std::vector<Seat> list;
  for (auto& [name, seat] : seats) {
    seat.name = name;
    seat.terms = terms_of(directory, call::ScopeKind::seat, name);
    list.push_back(std::move(seat));
  }
  return list;
}

UsageRow to_usage_row(const ledger::UsageRow& row) {
  return {row.group,         row.calls,         row.errors,           row.input_tokens,
          row.cached_tokens, row.output_tokens, to_dollars(row.cost), row.cache_write_tokens};
}

std::vector<ledger::UsageRow> by_project_name(const std::vector<ledger::UsageRow>& rows) {
  std::vector<ledger::UsageRow> named;
  for (const ledger::UsageRow& row : rows) {
    const std::string name = call::project_name(row.group);
    const auto same = std::find_if(named.begin(), named.end(), [&](const auto& one) { return one.group == name; });
    ledger::UsageRow& sum = same != named.end() ? *same : named.emplace_back();
    sum.group = name;
    sum.calls += row.calls;
    sum.errors += row.errors;
    sum.input_tokens += row.input_tokens;
    sum.cached_tokens += row.cached_tokens;
    sum.cache_write_tokens += row.cache_write_tokens;
    sum.output_tokens += row.output_tokens;
    sum.cost += row.cost;
  }
  std::stable_sort(named.begin(), named.end(), [](const auto& a, const auto& b) { return a.cost > b.cost; });
  return named;
}

AcceptanceRow to_acceptance_row(const ledger::AcceptanceRow& row) {
  return {row.group, row.shown, row.accepted, row.partly, row.dismissed};
}

std::vector<ledger::AcceptanceRow> by_project_name(const std::vector<ledger::AcceptanceRow>& rows) {
  std::vector<ledger::AcceptanceRow> named;
  for (const ledger::AcceptanceRow& row : rows) {
    const std::string name = call::project_name(row.group);
    const auto same = std::find_if(named.begin(), named.end(), [&](const auto& one) { return one.group == name; });
    ledger::AcceptanceRow& sum = same != named.end() ? *same : named.emplace_back();
    sum.group = name;
    sum.shown += row.shown;
    sum.accepted += row.accepted;
    sum.partly += row.partly;
    sum.dismissed += row.dismissed;
  }
  std::stable_sort(named.begin(), named.end(), [](const auto& a, const auto& b) { return a.shown > b.shown; });
  return named;
}

Result<ledger::CallFilter> to_call_filter(const Parameters& parameters) {
  ledger::CallFilter filter;
  filter.key = find(parameters, "key");
  filter.seat = find(parameters, "seat");
  filter.model = find(parameters, "model");
  if (const auto status = read_status(parameters, filter); !status) return status.error();
  const auto since = find_time(parameters, "since");
  if (!since) return since.error();
  filter.since = *since;
  const auto after_row = find_number(parameters, "after_row");
  if (!after_row) return after_row.error();
  filter.after_row = *after_row;
  const auto limit = find_number(parameters, "limit");
  if (!limit) return limit.error();
  if (*limit && (**limit < 1 || **limit > k_most_calls)) {
    return fail(ErrorKind::invalid_request, "limit takes 1 to " + std::to_string(k_most_calls), "limit");
  }
  if (*limit) filter.limit = static_cast<int>(**limit);
  return filter;
}

Result<ledger::UsageQuery> to_usage_query(const Parameters& parameters) {
  ledger::UsageQuery query;
  if (const auto by = find(parameters, "by")) {
    bool known = false;
    for (const auto& [name, group] : k_groups) {
      if (*by != name) continue;
      query.by = group;
      known = true;
    }
    if (!known) {
      return fail(
          ErrorKind::invalid_request,
          "by takes key, seat, team, model, lane, day, hour, client, tag, upstream or project, not \"" + *by + "\"",
          "by");
    }
  }
  const auto since = find_time(parameters, "since");
  if (!since) return since.error();
  query.since = *since;
  const auto until = find_time(parameters, "until");
  if (!until) return until.error();
  query.until = *until;
  return query;
}

}  // namespace nemo::admin
