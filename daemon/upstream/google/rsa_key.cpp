#include "daemon/upstream/google/rsa_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <string>

namespace nemo::upstream::google {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

// Without it OpenSSL would ask at the terminal for the password of an encrypted key.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*unused*/) {
  return -1;
}

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "no reason given" : reason;
}

}  // namespace

Result<RsaKey> read_rsa_key(std::string_view pem) {
  ERR_clear_error();
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  RsaKey key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr);
  if (!key) return fail(ErrorKind::invalid_config, "cannot be read by OpenSSL (" + last_reason() + ")");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return fail(ErrorKind::invalid_config, "is not an RSA key");
  return key;
}

}  // namespace nemo::upstream::google
