// Keys, teams and terms in memory, by the rules of the port. Any thread.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

#include "daemon/access/key_store.h"
#include "shared/guarded.h"

namespace nemo::test {

class MemoryKeyStore final : public access::KeyStore {
 public:
  using Directory = access::Directory;

  Result<Directory> load_directory() override {
    return m_directory.with([](Directory& all) { return all; });
  }
  Status insert_key(const access::VirtualKey& key, const call::TermsChange& terms) override {
    return m_directory.with([&](Directory& all) -> Status {
      if (!key.team.empty() && !find_team(all, key.team)) return fail(ErrorKind::not_found, "no such team");
      all.keys.push_back(key);
      change_terms(all, {call::ScopeKind::key, key.id}, terms);
      return Done{};
    });
  }
  Status change_key(const std::string& id, const access::KeyChange& change) override {
    return with_key(id, [&](Directory& all, access::VirtualKey& key) -> Status {
      if (key.revoked_at) return fail(ErrorKind::conflict, "revoked");
      key.seat = change.seat.value_or(key.seat);
      key.team = change.team.value_or(key.team);
      key.models = change.models.value_or(key.models);
      key.expires_at = change.expires_at.value_or(key.expires_at);
      change_terms(all, {call::ScopeKind::key, id}, change.terms);
      return Done{};
    });
  }
  Status revoke_key(const std::string& id, WallTime at) override {
    return with_key(id, [&](Directory& /*all*/, access::VirtualKey& key) -> Status {
      if (!key.revoked_at) key.revoked_at = at;
      return Done{};
    });
  }
  Status rotate_key(const std::string& id, const access::KeyHash& hash, const std::string& last4,
                    WallTime old_ends_at) override {
    return with_key(id, [&](Directory& /*all*/, access::VirtualKey& key) -> Status {
      if (key.revoked_at) return fail(ErrorKind::conflict, "revoked");
      key.old_secret = {key.hash, key.last4, old_ends_at};
      key.hash = hash;
      key.last4 = last4;
      return Done{};
    });
  }
  Status insert_team(const access::Team& team, const call::TermsChange& terms) override {
    return m_directory.with([&](Directory& all) -> Status {
      if (find_team(all, team.name)) return fail(ErrorKind::conflict, "it is there already");
      all.teams.push_back(team);
      change_terms(all, {call::ScopeKind::team, team.name}, terms);
      return Done{};
    });
  }
  Status change_team(const std::string& name, const call::TermsChange& terms) override {
    return m_directory.with([&](Directory& all) -> Status {
      if (!find_team(all, name)) return fail(ErrorKind::not_found, "no such team");
      change_terms(all, {call::ScopeKind::team, name}, terms);
      return Done{};
    });
  }
  Status delete_team(const std::string& name) override {
    return m_directory.with([&](Directory& all) -> Status {
      for (const access::VirtualKey& key : all.keys) {
        if (key.team == name && !key.revoked_at) return fail(ErrorKind::conflict, "keys belong to it: " + key.id);
      }
      std::erase_if(all.teams, [&name](const access::Team& team) { return team.name == name; });
      all.terms.erase({call::ScopeKind::team, name});
      return Done{};
    });
  }
  Status change_seat(const std::string& seat, const call::TermsChange& terms) override {
    return m_directory.with([&](Directory& all) -> Status {
      change_terms(all, {call::ScopeKind::seat, seat}, terms);
      return Done{};
    });
  }
  // What the ledger would have written.
  void note_use(const std::string& id, WallTime at) {
    (void)with_key(id, [at](Directory& /*all*/, access::VirtualKey& key) -> Status {
      key.last_used_at = at;
      return Done{};
    });
  }

 private:
  static bool find_team(const Directory& all, const std::string& name) {
    return std::any_of(all.teams.begin(), all.teams.end(), [&name](const auto& team) { return team.name == name; });
  }
  static void change_terms(Directory& all, const call::Scope& scope, const call::TermsChange& change) {
    const call::Terms terms = apply(all.terms[scope], change);
    if (terms == call::Terms{}) {
      all.terms.erase(scope);
    } else {
      all.terms[scope] = terms;
    }
  }
  Status with_key(const std::string& id, const std::function<Status(Directory&, access::VirtualKey&)>& act) {
    return m_directory.with([&](Directory& all) -> Status {
      for (access::VirtualKey& key : all.keys) {
        if (key.id == id) return act(all, key);
      }
      return fail(ErrorKind::not_found, "no key has the id " + id);
    });
  }

  Guarded<Directory> m_directory;
};

}  // namespace nemo::test
