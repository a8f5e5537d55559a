// Finds out as whom an upstream of kind "vertex" is called: application default credentials in Google's order, or the
// file that the config names. Source: google-auth-library 10.9 (googleauth), gcp-metadata 8.1.
#pragma once

#include <string>
#include <variant>

#include "daemon/config/settings.h"
#include "daemon/upstream/google/credentials_file.h"
#include "shared/paths.h"
#include "shared/result.h"

namespace nemo::upstream::google {

// The machine itself is in Google's cloud and has an account.
struct MetadataServer {
  std::string base_url;  // "http://169.254.169.254"
};

using Credentials = std::variant<ServiceAccount, AuthorizedUser, MetadataServer>;

struct Identity {
  Credentials credentials;
  std::string origin;         // for people: which file, or which server
  std::string project;        // the config's, else the environment's, else the file's; never empty
  std::string quota_project;  // whose quota is used when it is not the project's own; empty: nobody said
};

// Any thread; disk, no network: that a metadata server answers is known when it is asked for a token. invalid_config:
// a file that is named cannot be read or is none, or there is no project; the message says what to write where.
Result<Identity> find_identity(const config::Upstream& settings, const Environment& env);

}  // namespace nemo::upstream::google
