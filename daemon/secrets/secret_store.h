// Owns: the secrets that `nemo login` was given, one file each, mode 0600 in a folder of mode 0700.
// Must not know: what they open.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "shared/result.h"
#include "shared/secret.h"

namespace nemo::secrets {

// Names are [a-z0-9._-]{1,64}. Writes are atomic (temporary file, fsync, rename). Any thread; not for the request path.
class SecretStore {
 public:
  explicit SecretStore(std::filesystem::path folder);

  Result<std::optional<Secret>> load(const std::string& name) const;  // nullopt: not there
  Status save(const std::string& name, const Secret& secret);
  Status remove(const std::string& name);  // not there: not an error

 private:
  std::filesystem::path m_folder;
};

// A secret in a file of the user's own ("file:PATH" in the config): trailing white space is dropped.
Result<Secret> load_secret_file(const std::filesystem::path& path);

}  // namespace nemo::secrets
