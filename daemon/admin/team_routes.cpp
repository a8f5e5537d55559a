#include <algorithm>

#include "daemon/admin/convert_terms.h"
#include "daemon/admin/replies.h"
#include "daemon/admin/routes.h"
#include "shared/admin/team.h"

namespace nemo::admin {
namespace {

Status check_new_team(const std::string& name) {
  if (name.empty()) return fail(ErrorKind::invalid_request, "a team needs a name", "name");
  // What `nemo keys set --team none` means.
  if (name == "none") return fail(ErrorKind::invalid_request, "\"none\" means no team; choose another name", "name");
  return check_name(name, "name");
}

Status check_known_team(const access::Directory& directory, const std::string& name) {
  for (const access::Team& team : directory.teams) {
    if (team.name == name) return Done{};
  }
  return fail(ErrorKind::not_found, "there is no team \"" + name + "\"; see: nemo teams list");
}

Status check_known_seat(const access::Directory& directory, const std::string& name) {
  for (const access::VirtualKey& key : directory.keys) {
    if (key.seat == name) return Done{};
  }
  return fail(ErrorKind::not_found, "no key has the seat \"" + name +
                                        "\"; a seat is there with its first key: nemo keys create --seat " + name);
}

Result<call::TermsChange> read_change(const std::string& body) {
  const auto wanted = read_body<TermsRequest>(body);
  if (!wanted) return wanted.error();
  if (wanted->empty()) return fail(ErrorKind::invalid_request, "nothing is named that should change");
  return to_terms_change(*wanted, TermsOf::group);
}

template <typename T>
const T* find_named(const std::vector<T>& list, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(), [&name](const T& one) { return one.name == name; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

AdminReply Routes::reply_with_team(const Result<Stored>& stored, const std::string& name, int status) {
  if (!stored) return reply_with(stored.error());
  if (!stored->trouble.empty()) return reply_with(fail(ErrorKind::storage, stored->trouble));
  const auto teams = to_teams(stored->now);
  const Team* team = find_named(teams, name);
  if (team == nullptr) return reply_with(fail(ErrorKind::not_found, "there is no team \"" + name + "\""));
  return reply(*team, status);
}

AdminReply Routes::list_teams(const AdminRequest& /*request*/, const Names& /*names*/) {
  const auto directory = m_store.load_directory();
  return directory ? reply(to_teams(*directory)) : reply_with(directory.error());
}

AdminReply Routes::create_team(const AdminRequest& request, const Names& /*names*/) {
  const auto wanted = read_body<TeamRequest>(request.body);
  if (!wanted) return reply_with(wanted.error());
  if (const auto checked = check_new_team(wanted->name); !checked) return reply_with(checked.error());
  const auto terms = to_terms_change(wanted->terms, TermsOf::group);
  if (!terms) return reply_with(terms.error());
  const auto stored = change_directory([&](const access::Directory& before) -> Status {
    if (check_known_team(before, wanted->name).ok()) {
      return fail(ErrorKind::conflict,
                  "there is a team \"" + wanted->name + "\" already; change it: nemo teams set " + wanted->name);
    }
    return m_store.insert_team({wanted->name, m_clock.wall()}, *terms);
  });
  constexpr int k_created = 201;
  return reply_with_team(stored, wanted->name, k_created);
}

AdminReply Routes::change_team(const AdminRequest& request, const Names& names) {
  const auto change = read_change(request.body);
  if (!change) return reply_with(change.error());
  const auto stored = change_directory([&](const access::Directory& before) -> Status {
    if (const auto known = check_known_team(before, names.front()); !known) return known;
    return m_store.change_team(names.front(), *change);
  });
  return reply_with_team(stored, names.front());
}

AdminReply Routes::delete_team(const AdminRequest& /*request*/, const Names& names) {
  std::vector<Team> teams;
  const auto stored = change_directory([&](const access::Directory& before) -> Status {
    if (const auto known = check_known_team(before, names.front()); !known) return known;
    teams = to_teams(before);
    return m_store.delete_team(names.front());
  });
  if (!stored) return reply_with(stored.error());
  if (!stored->trouble.empty()) return reply_with(fail(ErrorKind::storage, stored->trouble));
  return reply(*find_named(teams, names.front()));
}

AdminReply Routes::list_seats(const AdminRequest& /*request*/, const Names& /*names*/) {
  const auto directory = m_store.load_directory();
  return directory ? reply(to_seats(*directory)) : reply_with(directory.error());
}

AdminReply Routes::change_seat(const AdminRequest& request, const Names& names) {
  const auto change = read_change(request.body);
  if (!change) return reply_with(change.error());
  const auto stored = change_directory([&](const access::Directory& before) -> Status {
    if (const auto known = check_known_seat(before, names.front()); !known) return known;
    return m_store.change_seat(names.front(), *change);
  });
  if (!stored) return reply_with(stored.error());
  if (!stored->trouble.empty()) return reply_with(fail(ErrorKind::storage, stored->trouble));
  const auto seats = to_seats(stored->now);
  const Seat* seat = find_named(seats, names.front());
  return seat != nullptr ? reply(*seat) : reply_with(fail(ErrorKind::not_found, "no key has that seat any more"));
}

}  // namespace nemo::admin
