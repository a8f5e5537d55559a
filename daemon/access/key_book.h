// Owns: the keys that are valid now, in memory, and the answer to "who is calling?".
// Must not know: HTTP, where keys rest.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "daemon/access/virtual_key.h"
#include "daemon/call/principal.h"
#include "shared/result.h"

namespace nemo::access {

// Any thread. identify() reads a snapshot and takes no lock; replace() swaps it whole, so a change acts on the next
// call.
class KeyBook {
 public:
  explicit KeyBook(std::vector<VirtualKey> keys = {});

  void replace(std::vector<VirtualKey> keys);
  bool empty() const;
  std::vector<VirtualKey> keys() const;

  // invalid_api_key, key_expired or key_revoked when the key does not open the door.
  Result<std::shared_ptr<const call::Principal>> identify(std::string_view key, WallTime now) const;

 private:
  struct Entry {
    VirtualKey key;
    std::shared_ptr<const call::Principal> principal;
  };
  using Book = std::map<KeyHash, Entry>;
  std::atomic<std::shared_ptr<const Book>> m_book;
};

}  // namespace nemo::access
