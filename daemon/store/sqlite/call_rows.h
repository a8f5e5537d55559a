// A call::CallRecord as rows: one of `call`, perhaps one of `call_trace`, and its share of `usage_daily` and of
// its scopes' spending.
#pragma once

#include <string_view>
#include <vector>

#include "daemon/call/call_record.h"
#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/scope_sums.h"

namespace nemo::store {

inline constexpr std::int64_t k_micros_in_day = 86'400'000'000;
inline constexpr std::int64_t k_micros_in_hour = 3'600'000'000;

// The columns of `call` that make a record, in the order that read_call expects. The trace is not among them.
extern const std::string_view k_call_columns;
call::CallRecord read_call(const lib::sqlite::Statement& row, int first_column);

// The statements of the writer, prepared once.
class CallRows {
 public:
  explicit CallRows(lib::sqlite::Connection& connection);

  // Within a transaction of the caller's, begun with begin() and ended with write_sums() and a commit: rows and sums
  // must come together. A record stays where it is until then.
  void begin();
  void insert(const call::CallRecord& record);
  void write_sums();

  // False: no row has the id. Needs no begin().
  bool mark_accepted(std::string_view id, std::int64_t accepted_bytes);

 private:
  // What a batch adds to one row of `usage_daily`. `sample` is a record of the batch that has its group.
  struct DaySum {
    const call::CallRecord* sample;
    std::int64_t day = 0;
    std::int64_t calls = 0, errors = 0, input = 0, cached = 0, cache_write = 0, output = 0, reasoning = 0, cost = 0;
  };

  void insert_row(const call::CallRecord& record);
  void add_to_day(const call::CallRecord& record);
  void write_days();

  lib::sqlite::Connection& m_connection;
  lib::sqlite::Statement m_insert_call;
  lib::sqlite::Statement m_insert_trace;
  lib::sqlite::Statement m_mark_accepted;
  lib::sqlite::Statement m_add_to_day;
  std::vector<DaySum> m_days;  // few: seats that call within one batch
  ScopeSums m_scopes;
};

}  // namespace nemo::store
