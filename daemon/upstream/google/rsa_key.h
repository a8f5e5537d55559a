// An RSA private key as OpenSSL holds it. The one header of this folder that names OpenSSL's types.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string_view>

#include "shared/result.h"

namespace nemo::upstream::google {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using RsaKey = std::unique_ptr<EVP_PKEY, FreeKey>;

// Any thread. invalid_config: OpenSSL cannot read it, or it is no RSA key; the message says which, in half a sentence.
Result<RsaKey> read_rsa_key(std::string_view pem);

}  // namespace nemo::upstream::google
