// A service account of a test's own: its key is made when the program starts, never kept.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "daemon/upstream/google/credentials_file.h"

namespace nemo::test {

using Json = nlohmann::json;

struct FreeTestKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using TestKey = std::unique_ptr<EVP_PKEY, FreeTestKey>;

inline EVP_PKEY* test_key() {
  static const TestKey key(EVP_RSA_gen(2048));
  return key.get();
}

inline std::string pem_of(EVP_PKEY* key) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), BIO_free);
  if (PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    throw std::runtime_error("the test's key cannot be written");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

inline upstream::google::ServiceAccount test_account() {
  upstream::google::ServiceAccount account;
  account.client_email = "robot@example.iam.gserviceaccount.com";
  account.private_key = Secret(pem_of(test_key()));
  account.private_key_id = "key-1";
  account.project_id = "file-project";
  return account;
}

inline Json service_account_json() {
  return {{"type", "service_account"},
          {"project_id", "file-project"},
          {"private_key_id", "key-1"},
          {"private_key", pem_of(test_key())},
          {"client_email", "robot@example.iam.gserviceaccount.com"},
          {"token_uri", "https://oauth2.googleapis.com/token"}};
}

inline Json authorized_user_json() {
  return {{"type", "authorized_user"},
          {"client_id", "client-1"},
          {"client_secret", "hush-hush-secret"},
          {"refresh_token", "1//refresh-me"},
          {"quota_project_id", "quota-project"}};
}

inline std::string base64url_decoded(std::string_view text) {
  constexpr std::string_view k_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bytes;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto value = k_alphabet.find(c);
    if (value == std::string_view::npos) throw std::invalid_argument("not base64url");
    bits = bits << 6U | static_cast<unsigned>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 255U));
  }
  return bytes;
}

struct ReadJwt {
  Json header;
  Json claims;
  bool signed_by_test_key = false;
};

inline ReadJwt read_jwt(std::string_view jwt) {
  const auto first = jwt.find('.');
  const auto second = jwt.find('.', first + 1);
  ReadJwt read;
  read.header = Json::parse(base64url_decoded(jwt.substr(0, first)));
  read.claims = Json::parse(base64url_decoded(jwt.substr(first + 1, second - first - 1)));
  const std::string signature = base64url_decoded(jwt.substr(second + 1));
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  read.signed_by_test_key =
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, test_key()) == 1 &&
      EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                       reinterpret_cast<const unsigned char*>(jwt.data()), second) == 1;
  return read;
}

}  // namespace nemo::test
