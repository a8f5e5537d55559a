// What is sent to get an access token, and how the answer is read. Pure. Sources: RFC 6749 (section 5), RFC 7523,
// google-auth-library 10.9 (gtoken, refreshclient, computeclient), gcp-metadata 8.1.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/upstream/google/adc.h"
#include "daemon/upstream/transport.h"
#include "shared/clock.h"
#include "shared/result.h"
#include "shared/secret.h"

namespace nemo::upstream::google {

// `token_url` replaces the endpoint that a file's credentials are sent to; empty: the file's, else Google's own.
// `issued_at` is only looked at for a service account. invalid_config: its key does not sign.
Result<Request> token_request(const Credentials& credentials, const std::string& token_url, WallTime issued_at);

struct Grant {
  Secret token;
  std::chrono::seconds life{0};  // from the moment that it was asked for
};
// upstream_error: not an answer with an access_token and a life of its own.
Result<Grant> read_grant(std::string_view body);

// {"error", "error_description"}: what the endpoint says when it gives no token.
struct Refusal {
  int status = 0;
  std::string code;         // "invalid_grant"; empty: it did not say
  std::string description;  // redacted
};
Refusal read_refusal(int status, std::string_view body);
// The assertion was too early or too late for Google's clock.
bool is_about_time(const Refusal& refusal);
// What it means and what to do, for people.
Error explain(const Refusal& refusal, const Credentials& credentials, const std::string& origin);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7, the one form that may be sent); nullopt: it is not that.
std::optional<WallTime> read_http_date(std::string_view text);

}  // namespace nemo::upstream::google
