#include <algorithm>
#include <utility>

#include "daemon/admin/convert_terms.h"
#include "daemon/admin/replies.h"
#include "daemon/admin/routes.h"
#include "shared/admin/timestamp.h"

namespace nemo::admin {
namespace {

constexpr std::chrono::seconds k_longest_grace = std::chrono::days{366};

// "": it never expires.
Result<std::optional<WallTime>> check_expiry(const std::string& text, WallTime now) {
  if (text.empty()) return std::optional<WallTime>{};
  const auto time = parse_rfc3339(text);
  if (!time) return time.error();
  if (*time <= now) return fail(ErrorKind::invalid_request, "expires_at has passed already", "expires_at");
  return std::optional{*time};
}

Status check_seat(const std::string& seat) {
  if (seat.empty()) return fail(ErrorKind::invalid_request, "a key needs a seat", "seat");
  return check_name(seat, "seat");
}

Status check_models(const std::vector<std::string>& models) {
  for (const std::string& model : models) {
    if (model.empty()) return fail(ErrorKind::invalid_request, "models holds an empty name", "models");
    if (const auto name = check_name(model, "models"); !name) return name;
  }
  return Done{};
}

Status check_team(const access::Directory& directory, const std::string& team) {
  const bool known = team.empty() || std::any_of(directory.teams.begin(), directory.teams.end(),
                                                 [&team](const access::Team& one) { return one.name == team; });
  if (known) return Done{};
  return fail(ErrorKind::not_found, "there is no team \"" + team + "\"; make it: nemo teams create " + team, "team");
}

const access::VirtualKey* find_key(const access::Directory& directory, const std::string& id) {
  const auto found = std::find_if(directory.keys.begin(), directory.keys.end(),
                                  [&id](const access::VirtualKey& key) { return key.id == id; });
  return found == directory.keys.end() ? nullptr : &*found;
}

Error no_such_key(const std::string& id) {
  return fail(ErrorKind::not_found, "no key has the id " + id);
}

Status check_changeable(const access::Directory& directory, const std::string& id) {
  const access::VirtualKey* key = find_key(directory, id);
  if (key == nullptr) return no_such_key(id);
  if (key->revoked_at) return fail(ErrorKind::conflict, "the key " + id + " was revoked; make a new one");
  return Done{};
}

Result<access::KeyChange> read_change(const KeyChange& wanted, WallTime now) {
  if (wanted.empty()) return fail(ErrorKind::invalid_request, "nothing is named that should change");
  if (wanted.seat) {
    if (const auto seat = check_seat(*wanted.seat); !seat) return seat.error();
  }
  if (wanted.models) {
    if (const auto models = check_models(*wanted.models); !models) return models.error();
  }
  auto terms = to_terms_change(wanted.terms, TermsOf::key);
  if (!terms) return terms.error();
  access::KeyChange change{wanted.seat, wanted.team, wanted.models, std::nullopt, std::move(terms).value()};
  if (wanted.expires_at) {
    const auto expiry = check_expiry(*wanted.expires_at, now);
    if (!expiry) return expiry.error();
    change.expires_at = *expiry;
  }
  return change;
}

}  // namespace

AdminReply Routes::reply_with_key(const Result<Stored>& stored, const std::string& id) {
  if (!stored) return reply_with(stored.error());
  if (!stored->trouble.empty()) return reply_with(fail(ErrorKind::storage, stored->trouble));
  const access::VirtualKey* key = find_key(stored->now, id);
  if (key == nullptr) return reply_with(no_such_key(id));
  return reply(to_key(*key, stored->now, m_clock.wall()));
}

// The secret exists nowhere else, so it is handed over even when the daemon has not taken it up.
AdminReply Routes::reply_with_secret(const Result<Stored>& stored, const std::string& id, const Secret& secret,
                                     int status) {
  if (!stored) return reply_with(stored.error());
  CreatedKey created;
  created.record.id = id;
  if (const auto* key = find_key(stored->now, id)) created.record = to_key(*key, stored->now, m_clock.wall());
  created.key = secret.expose();
  created.warning = stored->trouble;
  return reply(created, status);
}

AdminReply Routes::list_keys(const AdminRequest& /*request*/, const Names& /*names*/) {
  const auto directory = m_store.load_directory();
  if (!directory) return reply_with(directory.error());
  Json list = Json::array();
  for (const access::VirtualKey& key : directory->keys) list.push_back(to_key(key, *directory, m_clock.wall()));
  return reply(list);
}

AdminReply Routes::create_key(const AdminRequest& request, const Names& /*names*/) {
  const auto wanted = read_body<KeyRequest>(request.body);
  if (!wanted) return reply_with(wanted.error());
  if (const auto seat = check_seat(wanted->seat); !seat) return reply_with(seat.error());
  if (const auto models = check_models(wanted->models); !models) return reply_with(models.error());
  const auto expiry = check_expiry(wanted->expires_at.value_or(""), m_clock.wall());
  if (!expiry) return reply_with(expiry.error());
  const auto terms = to_terms_change(wanted->terms, TermsOf::key);
  if (!terms) return reply_with(terms.error());

  access::NewKey made = access::make_key(wanted->seat, wanted->team, m_clock.wall());
  made.record.models = wanted->models;
  made.record.expires_at = *expiry;
  const auto stored = change_directory([&](const access::Directory& before) -> Status {
    if (const auto team = check_team(before, wanted->team); !team) return team;
    return m_store.insert_key(made.record, *terms);
  });
  constexpr int k_created = 201;
  return reply_with_secret(stored, made.record.id, made.text, k_created);
}

AdminReply Routes::change_key(const AdminRequest& request, const Names& names) {
  const auto wanted = read_body<KeyChange>(request.body);
  if (!wanted) return reply_with(wanted.error());
  const auto change = read_change(*wanted, m_clock.wall());
  if (!change) return reply_with(change.error());
  const auto stored = change_directory([&](const access::Directory& before) -> Status {
    if (const auto key = check_changeable(before, names.front()); !key) return key;
    if (const auto team = check_team(before, change->team.value_or("")); !team) return team;
    return m_store.change_key(names.front(), *change);
  });
  return reply_with_key(stored, names.front());
}

AdminReply Routes::rotate_key(const AdminRequest& request, const Names& names) {
  const auto wanted = read_body<KeyRotation>(request.body);
  if (!wanted) return reply_with(wanted.error());
  if (wanted->grace_s < 0 || wanted->grace_s > k_longest_grace.count()) {
    return reply_with(fail(ErrorKind::invalid_request, "grace takes up to 366 days", "grace_s"));
  }
  const Secret secret = access::make_secret();
  const auto stored = change_directory([&](const access::Directory& before) -> Status {
    if (const auto key = check_changeable(before, names.front()); !key) return key;
    return m_store.rotate_key(names.front(), access::hash_key(secret.expose()), access::last4_of(secret),
                              m_clock.wall() + std::chrono::seconds{wanted->grace_s});
  });
  return reply_with_secret(stored, names.front(), secret, 200);
}

AdminReply Routes::revoke_key(const AdminRequest& /*request*/, const Names& names) {
  const auto stored = change_directory(
      [&](const access::Directory& /*before*/) { return m_store.revoke_key(names.front(), m_clock.wall()); });
  return reply_with_key(stored, names.front());
}

}  // namespace nemo::admin
