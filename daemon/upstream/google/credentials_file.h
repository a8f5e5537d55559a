// Reads the credentials files that Google hands out: the key of a service account, and what
// `gcloud auth application-default login` leaves behind. Source: google-auth-library 10.9 (googleauth, refreshclient).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

#include "shared/result.h"
#include "shared/secret.h"

namespace nemo::upstream::google {

struct ServiceAccount {
  std::string client_email;
  Secret private_key;          // PEM, PKCS#8; OpenSSL has read it
  std::string private_key_id;  // may be empty
  std::string project_id;      // may be empty
  std::string token_uri;       // where its assertions are meant for; empty: Google's own
  std::string quota_project_id = {};
};

struct AuthorizedUser {
  std::string client_id;
  Secret client_secret;
  Secret refresh_token;
  std::string quota_project_id = {};  // may be empty
};

using FileCredentials = std::variant<ServiceAccount, AuthorizedUser>;

// Any thread; disk. invalid_config: the message names the file, the field at fault and what to do, never a value.
Result<FileCredentials> load_credentials_file(const std::filesystem::path& file);
// The same of a text; `name` stands for the file in messages.
Result<FileCredentials> parse_credentials(std::string_view text, const std::string& name);

}  // namespace nemo::upstream::google
