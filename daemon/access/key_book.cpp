#include "daemon/access/key_book.h"

#include <algorithm>
#include <utility>

namespace nemo::access {
namespace {

// Every key of ours is 40 bytes. What is far longer is not hashed at all: it comes from whoever can open a connection.
constexpr std::size_t k_longest_key = 512;

}  // namespace

std::shared_ptr<const KeyBook::Book> KeyBook::book_of(std::vector<VirtualKey> keys) {
  auto book = std::make_shared<Book>();
  for (VirtualKey& key : keys) {
    auto principal = std::make_shared<const call::Principal>(call::Principal{key.id, key.seat, key.team, key.models});
    const KeyHash hash = key.hash;
    book->emplace(hash, Entry{std::move(key), std::move(principal)});
  }
  return book;
}

KeyBook::KeyBook(std::vector<VirtualKey> keys) : m_book(book_of(std::move(keys))) {}

void KeyBook::replace(std::vector<VirtualKey> keys) {
  auto next = book_of(std::move(keys));
  // The old book leaves the lock in `next` and is freed outside of it.
  m_book.with([&next](std::shared_ptr<const Book>& book) { book.swap(next); });
}

std::shared_ptr<const KeyBook::Book> KeyBook::snapshot() const {
  return m_book.with([](const std::shared_ptr<const Book>& book) { return book; });
}

bool KeyBook::empty() const {
  return snapshot()->empty();
}

std::vector<VirtualKey> KeyBook::keys() const {
  std::vector<VirtualKey> all;
  for (const auto& [hash, entry] : *snapshot()) all.push_back(entry.key);
  std::sort(all.begin(), all.end(), [](const VirtualKey& a, const VirtualKey& b) {
    return a.created_at != b.created_at ? a.created_at < b.created_at : a.id < b.id;
  });
  return all;
}

// The book is searched by hash: how long that takes says nothing about a key, only about the hash of what was sent.
Result<std::shared_ptr<const call::Principal>> KeyBook::identify(std::string_view key, WallTime now) const {
  if (key.empty()) {
    return fail(ErrorKind::invalid_api_key, "no key was given; send it as \"Authorization: Bearer sk-nemo-…\"");
  }
  const Error unknown =
      fail(ErrorKind::invalid_api_key, "this key is not known here; `nemo keys list` shows the keys that are");
  if (key.size() > k_longest_key) return unknown;
  const auto book = snapshot();
  const auto found = book->find(hash_key(key));
  if (found == book->end()) return unknown;
  const VirtualKey& known = found->second.key;
  if (known.revoked_at) {
    return fail(ErrorKind::key_revoked,
                "the key " + known.id + " was revoked at " + to_rfc3339(*known.revoked_at) + "; ask for a new one");
  }
  if (known.expires_at && now >= *known.expires_at) {
    return fail(ErrorKind::key_expired,
                "the key " + known.id + " expired at " + to_rfc3339(*known.expires_at) + "; ask for a new one");
  }
  return found->second.principal;
}

}  // namespace nemo::access
