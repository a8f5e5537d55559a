#include "daemon/store/sqlite/usage_sums.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/call_rows.h"
#include "daemon/store/sqlite/record_json.h"
#include "shared/clock.h"

namespace nemo::store {
namespace {

using ledger::AcceptanceRow;
using ledger::UsageGroup;
using ledger::UsageQuery;
using ledger::UsageRow;
using lib::sqlite::Connection;
using lib::sqlite::Statement;

constexpr std::int64_t k_begin_of_time = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t k_end_of_time = std::numeric_limits<std::int64_t>::max();

// From `from` (included) to `to` (not), in the unit of the column it is compared with.
struct Range {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

// A stretch of time as whole days and the rests before and after them, in microseconds.
struct Split {
  Range head;
  Range days;
  Range tail;
};

std::int64_t day_of(std::int64_t micros) {
  return micros >= 0 ? micros / k_micros_in_day : -((-micros + k_micros_in_day - 1) / k_micros_in_day);
}

Range range_of(const UsageQuery& query) {
  return {query.since ? query.since->time_since_epoch().count() : k_begin_of_time,
          query.until ? query.until->time_since_epoch().count() : k_end_of_time};
}

Split split_days(const UsageQuery& query) {
  const Range all = range_of(query);
  Split split;
  split.days = {k_begin_of_time, k_end_of_time};
  if (query.since) {
    const std::int64_t day = day_of(all.from);
    split.days.from = day * k_micros_in_day == all.from ? day : day + 1;
  }
  if (query.until) split.days.to = day_of(all.to);
  if (split.days.from >= split.days.to) return {all, {}, {}};
  if (query.since) split.head = {all.from, split.days.from * k_micros_in_day};
  if (query.until) split.tail = {split.days.to * k_micros_in_day, all.to};
  return split;
}

// Whole days in microseconds.
Range rows_of(const Range& days) {
  return {days.from == k_begin_of_time ? k_begin_of_time : days.from * k_micros_in_day,
          days.to == k_end_of_time ? k_end_of_time : days.to * k_micros_in_day};
}

// How a group reads in `call`; the floor holds before 1970 too.
std::string row_expression(UsageGroup by) {
  const auto floored = [](std::int64_t unit) {
    const std::string text = std::to_string(unit);
    return "(at - (at % " + text + " + " + text + ") % " + text + ") / " + text;
  };
  switch (by) {
    case UsageGroup::key:
      return "key";
    case UsageGroup::seat:
      return "seat";
    case UsageGroup::team:
      return "team";
    case UsageGroup::model:
      return "model";
    case UsageGroup::lane:
      return "lane";
    case UsageGroup::client:
      return "client";
    case UsageGroup::upstream:
      return "upstream";
    case UsageGroup::project:
      return "project";
    case UsageGroup::tag:
      return "tags";
    case UsageGroup::day:
      return floored(k_micros_in_day);
    case UsageGroup::hour:
      return floored(k_micros_in_hour);
  }
  return "''";
}

// What is summed beside calls and errors, under the same names in `call` and in `usage_daily`.
constexpr const char* k_amounts = "input_tokens, cached_tokens, cache_write_tokens, output_tokens, cost";
constexpr const char* k_sums =
    "sum(calls), sum(errors), sum(input_tokens), sum(cached_tokens), sum(cache_write_tokens), sum(output_tokens), "
    "sum(cost)";

std::string rows_sql(UsageGroup by) {
  return "SELECT " + row_expression(by) + " AS grp, 1 AS calls, outcome <> 'ok' AS errors, " + k_amounts +
         " FROM call WHERE at >= ? AND at < ?";
}

// What whole days cost beyond the rows that are kept of them. `exact` tells such a sum from rows.
std::string forgotten_sql(UsageGroup by) {
  const std::string group = by == UsageGroup::hour ? "day * 24" : "''";
  return "SELECT " + group + " AS grp, 0 AS exact, " + k_sums + " FROM (SELECT day, calls, errors, " + k_amounts +
         " FROM usage_daily WHERE day >= ? AND day < ? UNION ALL SELECT " + row_expression(UsageGroup::day) +
         ", -1, -(outcome <> 'ok'), -input_tokens, -cached_tokens, -cache_write_tokens, -output_tokens, -cost "
         "FROM call WHERE at >= ? AND at < ?) GROUP BY day HAVING sum(calls) > 0";
}

// One statement each, so that it sees one state of the database.

// For hours and tags, which the daily sums do not know.
Statement prepare_rows(Connection& connection, const UsageQuery& query) {
  Statement statement(connection, std::string("SELECT grp, ") + k_sums +
                                      ", exact FROM (SELECT grp, 1 AS exact, calls, errors, " + k_amounts + " FROM (" +
                                      rows_sql(query.by) + ") UNION ALL " + forgotten_sql(query.by) +
                                      ") GROUP BY grp, exact ORDER BY grp, exact");
  const Range range = range_of(query);
  const Split split = split_days(query);
  const Range whole_days = rows_of(split.days);
  statement.bind_all(range.from, range.to, split.days.from, split.days.to, whole_days.from, whole_days.to);
  return statement;
}

Statement prepare_days_and_rows(Connection& connection, const UsageQuery& query) {
  const std::string column = query.by == UsageGroup::day ? "day" : row_expression(query.by);
  Statement statement(connection, std::string("SELECT grp, ") + k_sums + " FROM (SELECT " + column +
                                      " AS grp, calls, errors, " + k_amounts +
                                      " FROM usage_daily WHERE day >= ? AND day < ? UNION ALL " + rows_sql(query.by) +
                                      " UNION ALL " + rows_sql(query.by) + ") GROUP BY grp");
  const Split split = split_days(query);
  statement.bind_all(split.days.from, split.days.to, split.head.from, split.head.to, split.tail.from, split.tail.to);
  return statement;
}

// "2026-11-22 13:45:01.123Z" as far as the group goes.
std::string time_text(UsageGroup by, std::int64_t number) {
  const std::int64_t micros = number * (by == UsageGroup::day ? k_micros_in_day : k_micros_in_hour);
  std::string text = to_rfc3339(WallTime(Micros(micros)));
  const auto separator = text.find('T');
  if (by == UsageGroup::day) return text.substr(0, separator);
  text[separator] = ' ';
  return text.substr(0, separator + 6);
}

UsageRow read_sums(const Statement& row, std::string group) {
  UsageRow sums;
  sums.group = std::move(group);
  sums.calls = row.integer(1);
  sums.errors = row.integer(2);
  sums.input_tokens = row.integer(3);
  sums.cached_tokens = row.integer(4);
  sums.cache_write_tokens = row.integer(5);
  sums.output_tokens = row.integer(6);
  sums.cost = NanoUsd{row.integer(7)};
  return sums;
}

void add(UsageRow& sum, const UsageRow& more) {
  sum.calls += more.calls;
  sum.errors += more.errors;
  sum.input_tokens += more.input_tokens;
  sum.cached_tokens += more.cached_tokens;
  sum.cache_write_tokens += more.cache_write_tokens;
  sum.output_tokens += more.output_tokens;
  sum.cost += more.cost;
}

bool is_exact(const Statement& row) {
  return row.integer(8) != 0;
}

// "code, eu": in one order, each once, so that a call counts once however its tags were written.
std::string tag_group(std::string_view json) {
  const std::vector<std::string> tags = texts_from_json(json);
  std::string group;
  for (const std::string& tag : std::set<std::string>(tags.begin(), tags.end())) {
    if (!group.empty()) group += ", ";
    group += tag;
  }
  return group;
}

// Few different lists of tags are in use, however many calls there are: the database groups by the list as it was
// written, this by what is in it.
std::vector<UsageRow> load_by_tags(Connection& connection, const UsageQuery& query) {
  std::map<std::string, UsageRow> by_tags;
  Statement rows = prepare_rows(connection, query);
  while (rows.step()) {
    const std::string group = is_exact(rows) ? tag_group(rows.text(0)) : std::string(k_forgotten_tags);
    UsageRow& sum = by_tags[group];
    sum.group = group;
    add(sum, read_sums(rows, group));
  }
  std::vector<UsageRow> found;
  for (auto& [group, sum] : by_tags) found.push_back(std::move(sum));
  return found;
}

std::vector<UsageRow> load_by_hour(Connection& connection, const UsageQuery& query) {
  std::vector<UsageRow> found;
  Statement rows = prepare_rows(connection, query);
  while (rows.step()) {
    std::string hour = time_text(UsageGroup::hour, rows.integer(0));
    if (!is_exact(rows)) hour.resize(hour.find(' '));
    found.push_back(read_sums(rows, std::move(hour)));
  }
  return found;
}

// Rows from before suggestions were measured have a verdict alone.
std::string acceptance_sql(UsageGroup by) {
  return "SELECT " + row_expression(by) +
         " AS grp, count(*), sum(accepted = 1 AND accepted_bytes >= suggested_bytes), "
         "sum(accepted = 1 AND accepted_bytes < suggested_bytes), sum(accepted = 0) FROM call "
         "WHERE at >= ? AND at < ? AND (suggested_bytes > 0 OR accepted IS NOT NULL) GROUP BY grp ORDER BY grp";
}

std::string group_text(UsageGroup by, const Statement& row) {
  if (by == UsageGroup::day || by == UsageGroup::hour) return time_text(by, row.integer(0));
  return by == UsageGroup::tag ? tag_group(row.text(0)) : std::string(row.text(0));
}

bool shown_more(const AcceptanceRow& a, const AcceptanceRow& b) {
  return a.shown != b.shown ? a.shown > b.shown : a.group < b.group;
}

bool dearer(const UsageRow& a, const UsageRow& b) {
  if (a.cost != b.cost) return a.cost > b.cost;
  if (a.calls != b.calls) return a.calls > b.calls;
  return a.group < b.group;
}

}  // namespace

std::vector<UsageRow> load_usage(Connection& connection, const UsageQuery& query) {
  // Grouped by number, days and hours come in their order.
  if (query.by == UsageGroup::hour) return load_by_hour(connection, query);
  std::vector<UsageRow> found;
  if (query.by == UsageGroup::tag) {
    found = load_by_tags(connection, query);
  } else {
    const bool is_day = query.by == UsageGroup::day;
    Statement rows = prepare_days_and_rows(connection, query);
    while (rows.step())
      found.push_back(read_sums(rows, is_day ? time_text(query.by, rows.integer(0)) : std::string(rows.text(0))));
  }
  if (query.by != UsageGroup::day) std::sort(found.begin(), found.end(), dearer);
  return found;
}

std::vector<AcceptanceRow> load_acceptance(Connection& connection, const UsageQuery& query) {
  Statement rows(connection, acceptance_sql(query.by));
  const Range range = range_of(query);
  rows.bind_all(range.from, range.to);
  // By its text: several lists of tags may be one group.
  std::map<std::string, AcceptanceRow> groups;
  while (rows.step()) {
    const std::string group = group_text(query.by, rows);
    AcceptanceRow& sum = groups[group];
    sum.group = group;
    sum.shown += rows.integer(1);
    sum.accepted += rows.integer(2);
    sum.partly += rows.integer(3);
    sum.dismissed += rows.integer(4);
  }
  std::vector<AcceptanceRow> found;
  for (auto& [group, sum] : groups) found.push_back(std::move(sum));
  const bool is_time = query.by == UsageGroup::day || query.by == UsageGroup::hour;
  if (!is_time) std::sort(found.begin(), found.end(), shown_more);
  return found;
}

}  // namespace nemo::store
