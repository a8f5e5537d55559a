// Times as the microseconds since 1970 that rest in columns.
#pragma once

#include <cstdint>
#include <optional>

#include "daemon/lib/sqlite/statement.h"
#include "shared/clock.h"

namespace nemo::store {

inline std::int64_t micros_of(WallTime time) {
  return time.time_since_epoch().count();
}

inline std::optional<std::int64_t> micros_of(const std::optional<WallTime>& time) {
  if (!time) return std::nullopt;
  return micros_of(*time);
}

inline WallTime time_in(const lib::sqlite::Statement& row, int column) {
  return WallTime(Micros(row.integer(column)));
}

// nullopt: the column is null.
inline std::optional<WallTime> find_time(const lib::sqlite::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return time_in(row, column);
}

}  // namespace nemo::store
