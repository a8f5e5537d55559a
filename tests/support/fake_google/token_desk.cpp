#include "tests/support/fake_google/token_desk.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <time.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "tests/support/fake_upstream/journal.h"

namespace nemo::fake_google {
namespace {

using fake_upstream::text_of;

constexpr const char* k_email = "nemo@nemo-test.iam.gserviceaccount.com";
constexpr const char* k_client_id = "fake-client.apps.googleusercontent.com";
constexpr const char* k_google_audience = "https://oauth2.googleapis.com/token";
constexpr const char* k_scope = "https://www.googleapis.com/auth/cloud-platform";
constexpr std::int64_t k_tolerance_s = 60;
constexpr std::int64_t k_longest_s = 3600;

std::string random_hex(std::size_t bytes) {
  std::vector<unsigned char> random(bytes);
  if (RAND_bytes(random.data(), static_cast<int>(bytes)) != 1) throw std::runtime_error("no random bytes");
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : random) {
    text += k_digits[byte >> 4U];
    text += k_digits[byte & 15U];
  }
  return text;
}

std::string base64url_decoded(std::string_view text) {
  constexpr std::string_view k_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = k_alphabet.find(c);
    if (value == std::string_view::npos) return {};
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 255U);
  }
  return bytes;
}

std::string private_pem(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

std::int64_t number_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

TokenDesk::TokenDesk()
    : m_key(EVP_RSA_gen(2048)),
      m_key_id(random_hex(20)),
      m_client_secret("GOCSPX-" + random_hex(14)),
      m_refresh_token("1//" + random_hex(24)) {
  if (!m_key) throw std::runtime_error("no RSA key could be made");
}

std::int64_t TokenDesk::now_s() const {
  return static_cast<std::int64_t>(::time(nullptr)) + m_skew_s;
}

std::string TokenDesk::date_header() const {
  const auto now = static_cast<time_t>(now_s());
  tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 64> text{};
  strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text.data();
}

Json TokenDesk::service_account(const std::string& project) const {
  return {{"type", "service_account"},
          {"project_id", project},
          {"private_key_id", m_key_id},
          {"private_key", private_pem(m_key.get())},
          {"client_email", k_email},
          {"client_id", "100000000000000000001"},
          {"auth_uri", "https://accounts.google.com/o/oauth2/auth"},
          {"token_uri", m_url},
          {"universe_domain", "googleapis.com"}};
}

Json TokenDesk::authorized_user() const {
  return {{"type", "authorized_user"},          {"client_id", k_client_id},         {"client_secret", m_client_secret},
          {"refresh_token", m_refresh_token},   {"quota_project_id", "nemo-quota"}, {"account", ""},
          {"universe_domain", "googleapis.com"}};
}

bool TokenDesk::is_signed_by_us(std::string_view text, std::string_view signature) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool good =
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, m_key.get()) == 1 &&
      EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(context);
  return good;
}

Refused TokenDesk::check_assertion(std::string_view assertion) const {
  const auto first = assertion.find('.');
  const auto second = assertion.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos || assertion.find('=') != std::string_view::npos) {
    return {"invalid_grant", "Invalid JWT: it has not three parts of base64url without padding."};
  }
  const Json header = Json::parse(base64url_decoded(assertion.substr(0, first)), nullptr, false);
  const Json claims = Json::parse(base64url_decoded(assertion.substr(first + 1, second - first - 1)), nullptr, false);
  if (!header.is_object() || !claims.is_object()) return {"invalid_grant", "Invalid JWT: its parts are not JSON."};
  if (text_of(header, "alg") != "RS256") return {"invalid_grant", "Invalid JWT: alg is not RS256."};
  if (text_of(claims, "iss") != k_email) return {"invalid_grant", "Invalid grant: account not found"};
  const bool other_key = header.contains("kid") && text_of(header, "kid") != m_key_id;
  if (other_key || !is_signed_by_us(assertion.substr(0, second), base64url_decoded(assertion.substr(second + 1)))) {
    return {"invalid_grant", "Invalid JWT Signature."};
  }
  return check_claims(claims);
}

Refused TokenDesk::check_claims(const Json& claims) const {
  const std::string audience = text_of(claims, "aud");
  if (audience != k_google_audience && audience != m_url) {
    return {"invalid_grant",
            "Invalid JWT: Failed audience check. The right audience is " + std::string(k_google_audience)};
  }
  if ((" " + text_of(claims, "scope") + " ").find(" " + std::string(k_scope) + " ") == std::string::npos) {
    return {"invalid_scope", "Invalid OAuth scope or ID token audience provided."};
  }
  const std::int64_t issued = number_of(claims, "iat");
  const std::int64_t expires = number_of(claims, "exp");
  const std::int64_t now = now_s();
  if (issued > now + k_tolerance_s || expires <= now || expires <= issued || expires - issued > k_longest_s) {
    return {"invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat "
            "and exp values in the JWT claim."};
  }
  return {};
}

Refused TokenDesk::check_refresh(std::string_view client_id, std::string_view client_secret,
                                 std::string_view refresh_token) const {
  if (client_id != k_client_id) return {"invalid_client", "The OAuth client was not found."};
  if (client_secret != m_client_secret) return {"invalid_client", "The provided client secret is invalid."};
  if (refresh_token != m_refresh_token) return {"invalid_grant", "Token has been expired or revoked."};
  return {};
}

std::string TokenDesk::give(std::int64_t expires_in_s) {
  std::string token = "ya29.fake-" + std::to_string(++m_given) + "-" + random_hex(16);
  m_tokens[token] = fake_upstream::monotonic_ms() + static_cast<double>(expires_in_s) * 1e3;
  return token;
}

bool TokenDesk::is_good(std::string_view token) const {
  const auto found = m_tokens.find(token);
  return found != m_tokens.end() && fake_upstream::monotonic_ms() < found->second;
}

std::size_t TokenDesk::revoke_all() {
  std::size_t good = 0;
  for (const auto& [token, until] : m_tokens) {
    if (is_good(token)) ++good;
  }
  m_tokens.clear();
  return good;
}

}  // namespace nemo::fake_google
