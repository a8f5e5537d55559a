// Who a budget or a limit is about: a key, the seat that owns it, or the seat's team.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nemo::call {

enum class ScopeKind : std::uint8_t { key, seat, team };

std::string_view to_string(ScopeKind kind);  // "key", "seat", "team"

struct Scope {
  ScopeKind kind = ScopeKind::key;
  std::string name;  // a key's public id, a seat's or a team's name

  friend auto operator<=>(const Scope&, const Scope&) = default;  // NOLINT(modernize-use-nullptr): no pointer here
  friend bool operator==(const Scope&, const Scope&) = default;
};

using Scopes = std::vector<Scope>;

}  // namespace nemo::call
