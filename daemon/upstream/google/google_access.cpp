#include "daemon/upstream/google/google_access.h"

#include <utility>

#include "daemon/upstream/google/adc.h"
#include "daemon/upstream/google/google_token_source.h"

namespace nemo::upstream::google {

Result<Access> open_access(const config::Upstream& settings, const Environment& env, Transport& transport,
                           const Clock& clock) {
  auto identity = find_identity(settings, env);
  if (!identity) return identity.error();
  Access access;
  access.place = {identity->project, settings.location, settings.base_url};
  if (const Status sound = check(access.place); !sound) {
    return fail(ErrorKind::invalid_config, "upstream \"" + settings.name + "\": " + sound.error().message);
  }
  access.headers = headers_for(identity->quota_project);
  GoogleTokenSource::Options options;
  options.origin = identity->origin;
  options.token_url = settings.token_url;
  // The certificates of a private place for the calls say nothing of Google's own token endpoint.
  if (settings.base_url.empty() || !settings.token_url.empty()) options.ca_file = settings.ca_file;
  options.find_again = [settings, env]() -> Result<Credentials> {
    auto found = find_identity(settings, env);
    if (!found) return found.error();
    return std::move(found->credentials);
  };
  access.tokens =
      std::make_shared<GoogleTokenSource>(transport, clock, std::move(identity->credentials), std::move(options));
  return access;
}

}  // namespace nemo::upstream::google
