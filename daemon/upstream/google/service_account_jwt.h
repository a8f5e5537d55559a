// The assertion with which a service account asks for a token: a JWT signed with RS256 (RFC 7515, RFC 7519, RFC 7523;
// Google's claims as google-auth-library writes them).
#pragma once

#include <string>
#include <string_view>

#include "daemon/upstream/google/credentials_file.h"
#include "shared/clock.h"
#include "shared/result.h"
#include "shared/secret.h"

namespace nemo::upstream::google {

// Google's own token endpoint: also what an assertion names as its audience when the key's file names no other.
constexpr std::string_view k_google_token_url = "https://oauth2.googleapis.com/token";
constexpr std::string_view k_cloud_scope = "https://www.googleapis.com/auth/cloud-platform";

// Good for an hour from `issued_at`, which is cut to whole seconds. Any thread; takes about a millisecond.
// invalid_config: the key cannot be read or does not sign.
Result<Secret> make_assertion(const ServiceAccount& account, WallTime issued_at);

// Base64url (RFC 4648, section 5) without padding.
std::string base64url(std::string_view bytes);

}  // namespace nemo::upstream::google
