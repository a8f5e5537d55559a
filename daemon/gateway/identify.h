// Who is calling, by the key that was presented.
#pragma once

#include <memory>

#include "daemon/access/key_book.h"
#include "daemon/call/principal.h"
#include "daemon/gateway/live.h"
#include "shared/clock.h"
#include "shared/result.h"
#include "shared/secret.h"

namespace nemo::gateway {

// Any thread. invalid_api_key, key_expired, key_revoked. The seat "local" where the config asks for no key.
Result<std::shared_ptr<const call::Principal>> identify(const Snapshot& world, const access::KeyBook& keys,
                                                        const Secret& key, WallTime now);

}  // namespace nemo::gateway
