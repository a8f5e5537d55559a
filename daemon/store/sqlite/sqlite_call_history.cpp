#include "daemon/store/sqlite/sqlite_call_history.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/call_rows.h"
#include "daemon/store/sqlite/experiment_rows.h"
#include "daemon/store/sqlite/record_json.h"
#include "daemon/store/sqlite/storage_error.h"
#include "daemon/store/sqlite/usage_sums.h"

namespace nemo::store {
namespace {

using ledger::CallFilter;
using ledger::CallRow;
using ledger::StatusFilter;
using lib::sqlite::Failure;
using lib::sqlite::Statement;

std::string_view outcome_of(StatusFilter status) {
  switch (status) {
    case StatusFilter::any:
      return {};
    case StatusFilter::ok:
      return "ok";
    case StatusFilter::error:
      return "error";
    case StatusFilter::cancelled:
      return "cancelled";
    case StatusFilter::refused:
      return "refused";
  }
  return {};
}

// Terms beside "= ?" repeat what a partial index says, so that SQLite may use it. A follower asks for few rows at the
// end of the table, again and again: the "+" keeps SQLite from going through all rows of a key instead.
std::string sql_for(const CallFilter& filter) {
  std::string sql = "SELECT row, " + std::string(k_call_columns) + " FROM call WHERE 1";
  const std::string match = filter.after_row ? " AND +" : " AND ";
  if (filter.key) sql += match + "key = ?";
  if (filter.seat) sql += match + "seat = ?";
  if (filter.model) sql += match + "model = ?";
  if (filter.status != StatusFilter::any) sql += match + "outcome = ?";
  if (filter.status != StatusFilter::any && filter.status != StatusFilter::ok) sql += match + "outcome <> 'ok'";
  if (filter.http_status) sql += match + "http_status = ?";
  if (filter.http_status && *filter.http_status >= 400) sql += match + "http_status >= 400";
  if (filter.since) sql += match + "at >= ?";
  if (filter.after_row) return sql + " AND row > ? ORDER BY row DESC LIMIT ?";
  return sql + " ORDER BY at DESC, row DESC LIMIT ?";
}

void bind_filter(Statement& statement, const CallFilter& filter) {
  int index = 0;
  if (filter.key) statement.bind(++index, *filter.key);
  if (filter.seat) statement.bind(++index, *filter.seat);
  if (filter.model) statement.bind(++index, *filter.model);
  if (filter.status != StatusFilter::any) statement.bind(++index, outcome_of(filter.status));
  if (filter.http_status) statement.bind(++index, *filter.http_status);
  if (filter.since) statement.bind(++index, filter.since->time_since_epoch().count());
  if (filter.after_row) statement.bind(++index, *filter.after_row);
  // A negative limit would be none at all.
  statement.bind(++index, std::max(filter.limit, 0));
}

// A call that never reached a model used nothing, which says nothing about its estimate.
constexpr std::string_view k_accuracy_sql =
    "SELECT model, count(*) AS calls, sum(estimated_tokens), sum(input_tokens), sum(input_tokens > estimated_tokens), "
    "sum(cost > reserved), sum(max(0, cost - reserved)), sum(reserved), sum(cost) "
    "FROM call WHERE at >= ? AND reserved > 0 AND usage_source <> 'none' GROUP BY model ORDER BY calls DESC, model";

}  // namespace

SqliteCallHistory::SqliteCallHistory(std::filesystem::path file)
    : m_file(std::move(file)),
      m_connection(m_file, lib::sqlite::Access::read_only),
      m_samples_connection(m_file, lib::sqlite::Access::read_only) {}

Result<std::vector<CallRow>> SqliteCallHistory::find_calls(const CallFilter& filter) {
  const std::lock_guard lock(m_mutex);
  try {
    std::vector<CallRow> found;
    Statement rows(m_connection, sql_for(filter));
    bind_filter(rows, filter);
    while (rows.step()) found.push_back({rows.integer(0), read_call(rows, 1)});
    std::sort(found.begin(), found.end(), [](const CallRow& a, const CallRow& b) { return a.row < b.row; });
    return found;
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "read the calls");
  }
}

Result<std::optional<call::CallRecord>> SqliteCallHistory::find_call(const std::string& id) {
  const std::lock_guard lock(m_mutex);
  try {
    // The trace comes first: read_call begins after it.
    Statement row(m_connection,
                  "SELECT coalesce((SELECT trace FROM call_trace WHERE call_trace.row = call.row), ''), " +
                      std::string(k_call_columns) + " FROM call WHERE id = ? ORDER BY row DESC LIMIT 1");
    row.bind(1, id);
    if (!row.step()) return std::optional<call::CallRecord>();
    call::CallRecord record = read_call(row, 1);
    record.trace = trace_from_json(row.text(0));
    return std::optional(std::move(record));
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "read the call " + id);
  }
}

Result<std::vector<ledger::UsageRow>> SqliteCallHistory::usage(const ledger::UsageQuery& query) {
  const std::lock_guard lock(m_mutex);
  try {
    return load_usage(m_connection, query);
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "sum up the usage");
  }
}

Result<std::vector<ledger::AcceptanceRow>> SqliteCallHistory::acceptance(const ledger::UsageQuery& query) {
  const std::lock_guard lock(m_mutex);
  try {
    return load_acceptance(m_connection, query);
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "count what was accepted");
  }
}

Result<std::vector<ledger::AccuracyRow>> SqliteCallHistory::accuracy(std::optional<WallTime> since) {
  const std::lock_guard lock(m_mutex);
  try {
    std::vector<ledger::AccuracyRow> found;
    Statement rows(m_connection, k_accuracy_sql);
    rows.bind(1, since ? since->time_since_epoch().count() : std::numeric_limits<std::int64_t>::min());
    while (rows.step()) {
      found.push_back({std::string(rows.text(0)), rows.integer(1), rows.integer(2), rows.integer(3), rows.integer(4),
                       rows.integer(5), NanoUsd{rows.integer(6)}, NanoUsd{rows.integer(7)}, NanoUsd{rows.integer(8)}});
    }
    return found;
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "compare estimates with what calls used");
  }
}

Result<ledger::ExperimentSamples> SqliteCallHistory::experiment_samples(const std::string& experiment) {
  const std::lock_guard lock(m_samples_mutex);
  try {
    return load_samples(m_samples_connection, experiment, ledger::k_most_experiment_samples);
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "read the calls of the experiment " + experiment);
  }
}

}  // namespace nemo::store
