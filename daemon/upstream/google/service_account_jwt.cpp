#include "daemon/upstream/google/service_account_jwt.h"

#include <openssl/evp.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "daemon/upstream/google/rsa_key.h"
#include "shared/json_escape.h"

namespace nemo::upstream::google {
namespace {

constexpr std::chrono::seconds k_assertion_life{3600};  // the longest that Google takes

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::string json_text(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  return out += '"';
}

std::string header_of(const ServiceAccount& account) {
  std::string header = R"({"alg":"RS256","typ":"JWT")";
  if (!account.private_key_id.empty()) header += ",\"kid\":" + json_text(account.private_key_id);
  return header += '}';
}

std::string claims_of(const ServiceAccount& account, WallTime issued_at) {
  const auto at = std::chrono::floor<std::chrono::seconds>(issued_at).time_since_epoch();
  std::string claims = "{\"iss\":" + json_text(account.client_email);
  claims += ",\"scope\":" + json_text(k_cloud_scope);
  claims += ",\"aud\":" + json_text(account.token_uri.empty() ? k_google_token_url : account.token_uri);
  claims += ",\"iat\":" + std::to_string(at.count());
  return claims += ",\"exp\":" + std::to_string((at + k_assertion_life).count()) + "}";
}

Result<std::string> sign(const ServiceAccount& account, std::string_view text) {
  const auto key = read_rsa_key(account.private_key.expose());
  if (!key) return fail(ErrorKind::invalid_config, "The private_key of the service account " + key.error().message);
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key->get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
    return fail(ErrorKind::invalid_config, "OpenSSL cannot sign with the private_key of the service account");
  }
  std::string signature(size, '\0');
  auto* into = reinterpret_cast<unsigned char*>(signature.data());
  if (EVP_DigestSign(context.get(), into, &size, bytes, text.size()) != 1) {
    return fail(ErrorKind::invalid_config, "OpenSSL cannot sign with the private_key of the service account");
  }
  signature.resize(size);
  return signature;
}

}  // namespace

std::string base64url(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return text;
}

Result<Secret> make_assertion(const ServiceAccount& account, WallTime issued_at) {
  std::string assertion = base64url(header_of(account)) + "." + base64url(claims_of(account, issued_at));
  const auto signature = sign(account, assertion);
  if (!signature) return signature.error();
  assertion += "." + base64url(*signature);
  return Secret(std::move(assertion));
}

}  // namespace nemo::upstream::google
