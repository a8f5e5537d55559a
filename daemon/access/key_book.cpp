#include "daemon/access/key_book.h"

#include <algorithm>
#include <string>
#include <utility>

namespace nemo::access {
namespace {

// Every key of ours is 40 bytes. What is far longer is not hashed at all: it comes from whoever can open a connection.
constexpr std::size_t k_longest_key = 512;

using Terms = std::map<call::Scope, call::Terms>;

std::shared_ptr<const call::Principal> principal_of(const VirtualKey& key, const Terms& terms) {
  call::Principal who{key.id, key.seat, key.team, key.models, {}, {}};
  for (const call::Scope& scope :
       {call::Scope{call::ScopeKind::key, key.id}, call::Scope{call::ScopeKind::seat, key.seat},
        call::Scope{call::ScopeKind::team, key.team}}) {
    if (!scope.name.empty()) who.scopes.push_back(scope);
  }
  const auto its_terms = terms.find({call::ScopeKind::key, key.id});
  if (its_terms != terms.end()) who.fallback_model = its_terms->second.fallback_model;
  return std::make_shared<const call::Principal>(std::move(who));
}

}  // namespace

std::shared_ptr<const KeyBook::Book> KeyBook::book_of(Directory directory) {
  auto book = std::make_shared<Book>();
  std::sort(directory.keys.begin(), directory.keys.end(), [](const VirtualKey& a, const VirtualKey& b) {
    return a.created_at != b.created_at ? a.created_at < b.created_at : a.id < b.id;
  });
  book->entries.reserve(directory.keys.size());
  for (VirtualKey& key : directory.keys) {
    auto principal = principal_of(key, directory.terms);
    book->entries.push_back({std::move(key), std::move(principal)});
  }
  // The doors point into the entries, which do not move any more.
  for (const Entry& entry : book->entries) book->doors.emplace(entry.key.hash, Door{&entry, Which::present});
  for (const Entry& entry : book->entries) {
    if (entry.key.old_secret) book->doors.emplace(entry.key.old_secret->hash, Door{&entry, Which::old});
  }
  return book;
}

KeyBook::KeyBook(Directory directory) : m_book(book_of(std::move(directory))) {}

KeyBook::KeyBook(std::vector<VirtualKey> keys) : KeyBook(Directory{std::move(keys), {}, {}}) {}

void KeyBook::replace(Directory directory) {
  auto next = book_of(std::move(directory));
  // The old book leaves the lock in `next` and is freed outside of it.
  m_book.with([&next](std::shared_ptr<const Book>& book) { book.swap(next); });
}

void KeyBook::replace(std::vector<VirtualKey> keys) {
  replace(Directory{std::move(keys), {}, {}});
}

std::shared_ptr<const KeyBook::Book> KeyBook::snapshot() const {
  return m_book.with([](const std::shared_ptr<const Book>& book) { return book; });
}

bool KeyBook::empty() const {
  return snapshot()->entries.empty();
}

std::vector<VirtualKey> KeyBook::keys() const {
  const auto book = snapshot();
  std::vector<VirtualKey> all;
  all.reserve(book->entries.size());
  for (const Entry& entry : book->entries) all.push_back(entry.key);
  return all;
}

// The book is searched by hash: how long that takes says nothing about a key, only about the hash of what was sent.
Result<std::shared_ptr<const call::Principal>> KeyBook::identify(std::string_view key, WallTime now) const {
  if (key.empty()) {
    return fail(ErrorKind::invalid_api_key, "no key was given; send it as \"Authorization: Bearer sk-nemo-…\"");
  }
  const auto unknown = [] {
    return fail(ErrorKind::invalid_api_key, "this key is not known here; check that all of it was copied");
  };
  if (key.size() > k_longest_key) return unknown();
  const auto book = snapshot();
  const auto found = book->doors.find(hash_key(key));
  if (found == book->doors.end()) return unknown();
  const auto& [entry, which] = found->second;
  const VirtualKey& known = entry->key;
  if (known.revoked_at) {
    return fail(ErrorKind::key_revoked,
                "the key " + known.id + " was revoked at " + to_rfc3339(*known.revoked_at) + "; ask for a new one");
  }
  if (known.expires_at && now >= *known.expires_at) {
    return fail(ErrorKind::key_expired,
                "the key " + known.id + " expired at " + to_rfc3339(*known.expires_at) + "; ask for a new one");
  }
  if (which == Which::old && now >= known.old_secret->ends_at) {
    return fail(ErrorKind::key_expired, "the key " + known.id + " was rotated, and this old secret of it ended at " +
                                            to_rfc3339(known.old_secret->ends_at) + "; use the new one");
  }
  return entry->principal;
}

}  // namespace nemo::access
