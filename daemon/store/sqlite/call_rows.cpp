#include "daemon/store/sqlite/call_rows.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "daemon/store/named_value.h"
#include "daemon/store/sqlite/record_json.h"

namespace nemo::store {

using call::CallRecord;
using lib::sqlite::Statement;

const std::string_view k_call_columns =
    "id, at, key, seat, team, surface, lane, requested_model, model, upstream, deployment, outcome, http_status, "
    "error_code, stream, latency, ttft, overhead, input_tokens, cached_tokens, output_tokens, reasoning_tokens, "
    "usage_source, cost, cache, attempts, experiment, arm, client, tags, reserved, estimated_tokens, budget_fallback, "
    "cache_write_tokens, accepted, project, branch, process, suggested_bytes, accepted_bytes";

namespace {

std::string insert_call_sql() {
  std::string values = "?";
  for (const char letter : k_call_columns) {
    if (letter == ',') values += ", ?";
  }
  return "INSERT INTO call (" + std::string(k_call_columns) + ") VALUES (" + values + ")";
}

constexpr std::string_view k_insert_trace_sql = "INSERT INTO call_trace (row, trace) VALUES (?, ?)";

// An id may have come twice: find_call gives the newest.
constexpr std::string_view k_mark_accepted_sql =
    "UPDATE call SET accepted = ?2 > 0, accepted_bytes = ?2 WHERE row = (SELECT max(row) FROM call WHERE id = ?1)";

constexpr std::string_view k_add_to_day_sql =
    "INSERT INTO usage_daily (day, key, seat, team, model, lane, client, upstream, project, calls, errors, "
    "input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost, cache_write_tokens) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, errors = errors + excluded.errors, "
    "input_tokens = input_tokens + excluded.input_tokens, cached_tokens = cached_tokens + excluded.cached_tokens, "
    "output_tokens = output_tokens + excluded.output_tokens, "
    "reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens, cost = cost + excluded.cost, "
    "cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens";

}  // namespace

CallRecord read_call(const Statement& row, int first_column) {
  int column = first_column;
  const auto text = [&] { return std::string(row.text(column++)); };
  const auto number = [&] { return row.integer(column++); };
  CallRecord record;
  record.id = text();
  record.at = WallTime(Micros(number()));
  record.key = text();
  record.seat = text();
  record.team = text();
  record.surface = named(text(), call::Surface::openai_chat);
  record.lane = text();
  record.requested_model = text();
  record.model = text();
  record.upstream = text();
  record.deployment = text();
  record.outcome = named(text(), call::Outcome::error);
  record.http_status = static_cast<int>(number());
  record.error_code = text();
  record.stream = number() != 0;
  record.latency = Micros(number());
  if (!row.is_null(column)) record.ttft = Micros(row.integer(column));
  ++column;
  record.overhead = Micros(number());
  record.usage.input_tokens = number();
  record.usage.cached_tokens = number();
  record.usage.output_tokens = number();
  record.usage.reasoning_tokens = number();
  record.usage.source = named(text(), call::UsageSource::estimated);
  record.cost = NanoUsd{number()};
  record.cache = text();
  record.attempts = static_cast<int>(number());
  record.experiment = text();
  record.arm = text();
  record.client = text();
  record.tags = texts_from_json(row.text(column++));
  record.reserved = NanoUsd{number()};
  record.estimated_tokens = number();
  record.budget_fallback = text();
  record.usage.cache_write_tokens = number();
  if (!row.is_null(column)) record.accepted = row.integer(column) != 0;
  ++column;
  record.origin.project = text();
  record.origin.branch = text();
  record.origin.process = text();
  record.suggested_bytes = number();
  record.accepted_bytes = number();
  return record;
}

CallRows::CallRows(lib::sqlite::Connection& connection)
    : m_connection(connection),
      m_insert_call(connection, insert_call_sql()),
      m_insert_trace(connection, k_insert_trace_sql),
      m_mark_accepted(connection, k_mark_accepted_sql),
      m_add_to_day(connection, k_add_to_day_sql),
      m_scopes(connection) {}

void CallRows::begin() {
  m_days.clear();
  m_scopes.begin();
}

void CallRows::insert(const CallRecord& record) {
  insert_row(record);
  const std::string trace = to_json(record.trace);
  if (!trace.empty()) m_insert_trace.run_with(m_connection.last_row(), trace);
  add_to_day(record);
  m_scopes.add(record);
}

bool CallRows::mark_accepted(std::string_view id, std::int64_t accepted_bytes) {
  m_mark_accepted.run_with(id, accepted_bytes);
  return m_connection.changes() > 0;
}

void CallRows::write_sums() {
  write_days();
  m_scopes.write();
}

void CallRows::insert_row(const CallRecord& record) {
  const auto ttft = record.ttft ? std::optional(record.ttft->count()) : std::nullopt;
  const auto accepted = record.accepted ? std::optional(*record.accepted ? 1 : 0) : std::nullopt;
  const call::Usage& usage = record.usage;
  m_insert_call.run_with(
      record.id, record.at.time_since_epoch().count(), record.key, record.seat, record.team, to_string(record.surface),
      record.lane, record.requested_model, record.model, record.upstream, record.deployment, to_string(record.outcome),
      record.http_status, record.error_code, record.stream ? 1 : 0, record.latency.count(), ttft,
      record.overhead.count(), usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.reasoning_tokens,
      to_string(usage.source), record.cost.value, record.cache, record.attempts, record.experiment, record.arm,
      record.client, to_json(record.tags), record.reserved.value, record.estimated_tokens, record.budget_fallback,
      usage.cache_write_tokens, accepted, record.origin.project, record.origin.branch, record.origin.process,
      record.suggested_bytes, record.accepted_bytes);
}

void CallRows::add_to_day(const CallRecord& record) {
  const std::int64_t day = std::chrono::floor<std::chrono::days>(record.at).time_since_epoch().count();
  const auto same = std::find_if(m_days.begin(), m_days.end(), [&](const DaySum& one) {
    const CallRecord& other = *one.sample;
    return one.day == day && other.key == record.key && other.seat == record.seat && other.team == record.team &&
           other.model == record.model && other.lane == record.lane && other.client == record.client &&
           other.upstream == record.upstream && other.origin.project == record.origin.project;
  });
  DaySum& sum = same != m_days.end() ? *same : m_days.emplace_back(DaySum{&record, day});
  ++sum.calls;
  sum.errors += record.outcome == call::Outcome::ok ? 0 : 1;
  sum.input += record.usage.input_tokens;
  sum.cached += record.usage.cached_tokens;
  sum.cache_write += record.usage.cache_write_tokens;
  sum.output += record.usage.output_tokens;
  sum.reasoning += record.usage.reasoning_tokens;
  sum.cost += record.cost.value;
  constexpr std::size_t k_most_groups = 64;  // they are searched one by one
  if (m_days.size() == k_most_groups) write_days();
}

void CallRows::write_days() {
  for (const DaySum& sum : m_days) {
    const CallRecord& group = *sum.sample;
    m_add_to_day.run_with(sum.day, group.key, group.seat, group.team, group.model, group.lane, group.client,
                          group.upstream, group.origin.project, sum.calls, sum.errors, sum.input, sum.cached,
                          sum.output, sum.reasoning, sum.cost, sum.cache_write);
  }
  m_days.clear();
}

}  // namespace nemo::store
