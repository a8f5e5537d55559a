// Scopes and windows as the texts that rest in columns.
#pragma once

#include "daemon/call/scope.h"
#include "daemon/call/terms.h"
#include "daemon/lib/sqlite/statement.h"

namespace nemo::store {

// From the columns kind and name, which stand side by side. Throws lib::sqlite::Failure: nobody else writes these
// tables, and a budget that is left out would be a budget that does not hold.
call::Scope read_scope(const lib::sqlite::Statement& row, int first_column);
call::Window read_window(const lib::sqlite::Statement& row, int column);

}  // namespace nemo::store
