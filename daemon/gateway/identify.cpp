#include "daemon/gateway/identify.h"

namespace nemo::gateway {

Result<std::shared_ptr<const call::Principal>> identify(const Snapshot& world, const access::KeyBook& keys,
                                                        const Secret& key, WallTime now) {
  static const auto k_local = std::make_shared<const call::Principal>(
      call::Principal{"", "local", "", {}, {{call::ScopeKind::seat, "local"}}, ""});
  const bool is_ours = key.expose().starts_with("sk-nemo-");
  // Many editors insist on sending some key: without require_key, one that is not Nemo's means nothing.
  if (!world.settings.require_key && !is_ours) return k_local;
  if (key.empty()) {
    return fail(ErrorKind::invalid_api_key,
                keys.empty() ? "No key was sent, and none exists yet. Make one with: nemo keys create --seat NAME"
                             : "No key was sent. Send it as \"Authorization: Bearer sk-nemo-…\".");
  }
  return keys.identify(key.expose(), now);
}

}  // namespace nemo::gateway
