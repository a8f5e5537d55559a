// Owns: the keys that are valid now, in memory, and the answer to "who is calling?".
// Must not know: HTTP, where keys rest.
#pragma once

#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "daemon/access/key_store.h"
#include "daemon/access/virtual_key.h"
#include "daemon/call/principal.h"
#include "shared/guarded.h"
#include "shared/result.h"

namespace nemo::access {

// Any thread. identify() reads a snapshot: a lock is held only while its pointer is copied, never while a key is looked
// up. replace() swaps it whole, so a change acts on the next call.
class KeyBook {
 public:
  explicit KeyBook(Directory directory);
  explicit KeyBook(std::vector<VirtualKey> keys = {});

  void replace(Directory directory);
  void replace(std::vector<VirtualKey> keys);  // which have no terms
  bool empty() const;
  std::vector<VirtualKey> keys() const;  // oldest first

  // invalid_api_key, key_expired or key_revoked when the key does not open the door. A message names no key but the one
  // that was sent. The secret before a rotation opens it until its ends_at, and is key_expired from then on.
  Result<std::shared_ptr<const call::Principal>> identify(std::string_view key, WallTime now) const;

 private:
  struct Entry {
    VirtualKey key;
    std::shared_ptr<const call::Principal> principal;
  };
  enum class Which { present, old };
  struct Door {
    const Entry* entry = nullptr;
    Which which = Which::present;
  };
  struct Book {
    std::vector<Entry> entries;     // oldest first
    std::map<KeyHash, Door> doors;  // both secrets of a rotated key
  };

  static std::shared_ptr<const Book> book_of(Directory directory);
  std::shared_ptr<const Book> snapshot() const;

  // Not std::atomic<std::shared_ptr>: that of libstdc++ 12 has a data race between load and store.
  Guarded<std::shared_ptr<const Book>> m_book;
};

}  // namespace nemo::access
