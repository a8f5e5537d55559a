#include "daemon/upstream/google/adc.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <system_error>
#include <utility>

namespace nemo::upstream::google {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_file_prefix = "file:";
constexpr const char* k_metadata_address = "169.254.169.254";

// The first of these that says something.
std::string first_of(const Environment& env, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (auto value = env(name); value && !value->empty()) return *value;
  }
  return {};
}

fs::path well_known_file(const Environment& env) {
  const std::string folder = first_of(env, {"CLOUDSDK_CONFIG"});
  const fs::path base = folder.empty() ? fs::path(first_of(env, {"HOME"})) / ".config" / "gcloud" : fs::path(folder);
  return base / "application_default_credentials.json";
}

MetadataServer metadata_server(const Environment& env) {
  std::string host = first_of(env, {"GCE_METADATA_IP", "GCE_METADATA_HOST"});
  if (host.empty()) host = k_metadata_address;
  while (host.ends_with('/')) host.pop_back();
  const bool has_scheme = host.starts_with("http://") || host.starts_with("https://");
  return {has_scheme ? host : "http://" + host};
}

// What a file says beside the account itself.
struct FileProjects {
  std::string project;
  std::string quota_project;
};

FileProjects projects_of(const FileCredentials& credentials) {
  if (const auto* account = std::get_if<ServiceAccount>(&credentials)) {
    return {account->project_id, account->quota_project_id};
  }
  return {"", std::get<AuthorizedUser>(credentials).quota_project_id};
}

Result<Identity> from_file(const fs::path& file, const std::string& named_by) {
  auto loaded = load_credentials_file(file);
  if (!loaded) {
    Error error = loaded.error();
    if (!named_by.empty()) error.message += " It is named by " + named_by + ".";
    return error;
  }
  const FileProjects projects = projects_of(*loaded);
  Identity identity;
  identity.credentials =
      std::visit([](auto&& one) { return Credentials(std::forward<decltype(one)>(one)); }, std::move(*loaded));
  identity.origin = file.string();
  identity.project = projects.project;
  identity.quota_project = projects.quota_project;
  return identity;
}

Result<Identity> default_credentials(const Environment& env) {
  const std::string named = first_of(env, {"GOOGLE_APPLICATION_CREDENTIALS", "google_application_credentials"});
  if (!named.empty()) return from_file(named, "GOOGLE_APPLICATION_CREDENTIALS");
  const fs::path file = well_known_file(env);
  std::error_code trouble;
  // One that is there and may not be read is told of, not passed over.
  if (fs::exists(file, trouble) || trouble) return from_file(file, "");
  Identity identity;
  const MetadataServer server = metadata_server(env);
  identity.origin = "the metadata server " + server.base_url;
  identity.credentials = server;
  return identity;
}

bool is_project_id(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
  });
}

Error bad_project(const std::string& upstream, const std::string& what) {
  return fail(ErrorKind::invalid_config, "upstream \"" + upstream + "\": " + what);
}

}  // namespace

Result<Identity> find_identity(const config::Upstream& settings, const Environment& env) {
  auto found = settings.credentials.starts_with(k_file_prefix)
                   ? from_file(settings.credentials.substr(k_file_prefix.size()),
                               "credentials of the upstream \"" + settings.name + "\"")
                   : default_credentials(env);
  if (!found) return found;
  const std::string of_environment = first_of(env, {"GCLOUD_PROJECT", "GOOGLE_CLOUD_PROJECT"});
  if (!settings.project.empty()) {
    found->project = settings.project;
  } else if (!of_environment.empty()) {
    found->project = of_environment;
  }
  const std::string quota = first_of(env, {"GOOGLE_CLOUD_QUOTA_PROJECT"});
  if (!quota.empty()) found->quota_project = quota;
  if (found->project.empty()) {
    return bad_project(settings.name, "no project is known: " + found->origin +
                                          " names none; write project = \"…\" in its [[upstream]], or set "
                                          "GOOGLE_CLOUD_PROJECT");
  }
  // Both go into a URL and a header.
  for (const std::string& project : {found->project, found->quota_project}) {
    if (!is_project_id(project)) return bad_project(settings.name, "\"" + project + "\" is not a project id");
  }
  return found;
}

}  // namespace nemo::upstream::google
