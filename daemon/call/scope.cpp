#include "daemon/call/scope.h"

namespace nemo::call {

std::string_view to_string(ScopeKind kind) {
  switch (kind) {
    case ScopeKind::key:
      return "key";
    case ScopeKind::seat:
      return "seat";
    case ScopeKind::team:
      return "team";
  }
  return "";
}

}  // namespace nemo::call
