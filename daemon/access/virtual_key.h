// A key that Nemo gives to a seat. The key itself is shown once and never kept: only its SHA-256 and last four
// characters.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/clock.h"
#include "shared/secret.h"

namespace nemo::access {

using KeyHash = std::array<std::uint8_t, 32>;

struct VirtualKey {
  std::string id;  // "key_…", public
  std::string last4;
  KeyHash hash{};
  std::string seat;
  std::string team;
  std::vector<std::string> models;  // empty: every model
  WallTime created_at;
  std::optional<WallTime> expires_at;
  std::optional<WallTime> revoked_at;
  // The secret before the last rotation, as long as it still opens the door.
  struct OldSecret {
    KeyHash hash{};
    std::string last4;
    WallTime ends_at;
  };
  std::optional<OldSecret> old_secret;
  std::optional<WallTime> last_used_at;  // as far as the ledger has been written
};

struct NewKey {
  VirtualKey record;
  Secret text;  // "sk-nemo-" and 160 random bits in base32
};

KeyHash hash_key(std::string_view text);
NewKey make_key(std::string seat, std::string team, WallTime now);
// Only the secret: for a key that is there already.
Secret make_secret();
std::string last4_of(const Secret& secret);

}  // namespace nemo::access
