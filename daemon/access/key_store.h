// Port: where virtual keys rest. Implemented by the store; called from the admin edge and at start-up only.
#pragma once

#include <string>
#include <vector>

#include "daemon/access/virtual_key.h"
#include "shared/result.h"

namespace nemo::access {

class KeyStore {
 public:
  virtual ~KeyStore() = default;
  virtual Result<std::vector<VirtualKey>> load_keys() = 0;
  virtual Status insert_key(const VirtualKey& key) = 0;
  // ErrorKind::not_found when there is no such id. Revoking twice is not an error and keeps the first time.
  virtual Status revoke_key(const std::string& id, WallTime at) = 0;
};

}  // namespace nemo::access
