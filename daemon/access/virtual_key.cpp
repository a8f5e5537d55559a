#include "daemon/access/virtual_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "shared/ids.h"

namespace nemo::access {
namespace {

constexpr std::string_view k_key_prefix = "sk-nemo-";
constexpr std::size_t k_key_bytes = 20;  // 160 random bits
constexpr std::size_t k_id_bytes = 10;   // public, only has to be unique
constexpr std::size_t k_shown = 4;

std::string random_key_text() {
  std::string random = random_bytes(k_key_bytes);
  std::string letters = to_base32(random);
  std::string text;
  text.reserve(k_key_prefix.size() + letters.size());
  text.append(k_key_prefix).append(letters);
  OPENSSL_cleanse(random.data(), random.size());
  OPENSSL_cleanse(letters.data(), letters.size());
  return text;
}

}  // namespace

KeyHash hash_key(std::string_view text) {
  KeyHash hash{};
  unsigned int length = 0;
  // Fetched once: finding the algorithm takes longer than hashing a key.
  static EVP_MD* const k_sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const int done = EVP_Digest(text.data(), text.size(), hash.data(), &length, k_sha256, nullptr);
  if (done != 1 || length != hash.size()) throw std::runtime_error("SHA-256 is not available from libcrypto");
  return hash;
}

Secret make_secret() {
  return Secret(random_key_text());
}

std::string last4_of(const Secret& secret) {
  const std::string_view text = secret.expose();
  return std::string(text.substr(text.size() - std::min(text.size(), k_shown)));
}

NewKey make_key(std::string seat, std::string team, WallTime now) {
  NewKey made{{}, make_secret()};
  made.record.id = "key_" + to_base32(random_bytes(k_id_bytes));
  made.record.last4 = last4_of(made.text);
  made.record.hash = hash_key(made.text.expose());
  made.record.seat = std::move(seat);
  made.record.team = std::move(team);
  made.record.created_at = now;
  return made;
}

}  // namespace nemo::access
