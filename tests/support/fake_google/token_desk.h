// Owns: the test accounts, their keys, made afresh at start-up, and the access tokens that were given out.
// Must not know: paths, HTTP.
//
// An assertion is good when it is signed with the service account's key (RS256), names the account (iss), the scope
// cloud-platform, one of the two audiences (Google's token endpoint, or this one's), was issued not more than 60 s
// ahead of the desk's clock, has not expired there, and lasts an hour at most.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/fake_upstream/json.h"

namespace nemo::fake_google {

using fake_upstream::Json;

// {"error", "error_description"} of a token endpoint; an empty error: there is none.
struct Refused {
  std::string error;
  std::string description;
  explicit operator bool() const { return !error.empty(); }
};

class TokenDesk {
 public:
  TokenDesk();

  void set_url(const std::string& url) { m_url = url; }  // "http://127.0.0.1:PORT/token"
  void set_skew(std::int64_t seconds) { m_skew_s = seconds; }
  std::int64_t now_s() const;       // its clock: this machine's and the skew
  std::string date_header() const;  // that clock as HTTP writes it

  // The files that a client is given.
  Json service_account(const std::string& project) const;
  Json authorized_user() const;

  Refused check_assertion(std::string_view assertion) const;
  Refused check_refresh(std::string_view client_id, std::string_view client_secret,
                        std::string_view refresh_token) const;

  // A token that lasts so long by this machine's own clock.
  std::string give(std::int64_t expires_in_s);
  bool is_good(std::string_view token) const;
  std::size_t revoke_all();  // how many were good
  std::uint64_t given() const { return m_given; }

 private:
  struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  bool is_signed_by_us(std::string_view text, std::string_view signature) const;
  Refused check_claims(const Json& claims) const;

  std::unique_ptr<EVP_PKEY, FreeKey> m_key;
  std::string m_key_id;
  std::string m_client_secret;
  std::string m_refresh_token;
  std::string m_url;
  std::int64_t m_skew_s = 0;
  std::uint64_t m_given = 0;
  std::map<std::string, double, std::less<>> m_tokens;  // until when each is good, CLOCK_MONOTONIC in ms
};

}  // namespace nemo::fake_google
