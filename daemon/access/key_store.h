// Port: where keys, teams and their terms rest. Implemented by the store; called from the admin edge and at start-up
// only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/access/virtual_key.h"
#include "daemon/call/scope.h"
#include "daemon/call/terms.h"
#include "shared/result.h"

namespace nemo::access {

struct Team {
  std::string name;
  WallTime created_at;
};

// All that is known about who may use what.
struct Directory {
  std::vector<VirtualKey> keys;              // oldest first
  std::vector<Team> teams;                   // by name
  std::map<call::Scope, call::Terms> terms;  // of those that have any
};

// What a change does not name stays.
struct KeyChange {
  std::optional<std::string> seat;
  std::optional<std::string> team;  // empty: no team any more
  std::optional<std::vector<std::string>> models;
  std::optional<std::optional<WallTime>> expires_at;
  call::TermsChange terms;
};

// Each call is one transaction: all of it or nothing.
class KeyStore {
 public:
  virtual ~KeyStore() = default;
  virtual Result<Directory> load_directory() = 0;

  // A team that the key names must exist: not_found otherwise. conflict: id or hash is there already.
  virtual Status insert_key(const VirtualKey& key, const call::TermsChange& terms) = 0;
  // not_found: no such key, or no such team. conflict: the key was revoked.
  virtual Status change_key(const std::string& id, const KeyChange& change) = 0;
  // not_found when there is no such id. Revoking twice is not an error and keeps the first time; both secrets of a
  // rotated key end.
  virtual Status revoke_key(const std::string& id, WallTime at) = 0;
  // The new secret opens the door from now on, the present one until `old_ends_at`. A secret that was replaced before
  // ends at once. conflict: the key was revoked.
  virtual Status rotate_key(const std::string& id, const KeyHash& hash, const std::string& last4,
                            WallTime old_ends_at) = 0;

  virtual Status insert_team(const Team& team, const call::TermsChange& terms) = 0;  // conflict: it is there already
  virtual Status change_team(const std::string& name, const call::TermsChange& terms) = 0;
  // conflict: keys that were not revoked belong to it; the message names some. Its spending stays in the ledger.
  virtual Status delete_team(const std::string& name) = 0;

  virtual Status change_seat(const std::string& seat, const call::TermsChange& terms) = 0;  // not_found: no key has it
};

}  // namespace nemo::access
