#include "daemon/store/sqlite/scope_rows.h"

#include <string>
#include <string_view>

namespace nemo::store {

using call::ScopeKind;
using call::Window;
using lib::sqlite::Failure;
using lib::sqlite::Statement;

call::Scope read_scope(const Statement& row, int first_column) {
  const std::string_view text = row.text(first_column);
  for (const ScopeKind kind : {ScopeKind::key, ScopeKind::seat, ScopeKind::team}) {
    if (to_string(kind) == text) return {kind, std::string(row.text(first_column + 1))};
  }
  throw Failure(0, "there is no scope of the kind \"" + std::string(text) + "\"");
}

Window read_window(const Statement& row, int column) {
  const std::string_view text = row.text(column);
  for (const Window window : {Window::day, Window::week, Window::month, Window::total}) {
    if (to_string(window) == text) return window;
  }
  throw Failure(0, "there is no budget window \"" + std::string(text) + "\"");
}

}  // namespace nemo::store
