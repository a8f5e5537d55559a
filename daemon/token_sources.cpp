#include "daemon/token_sources.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "daemon/upstream/google/google_token_source.h"
#include "shared/log.h"

namespace nemo {
namespace {

namespace fs = std::filesystem;
namespace google = upstream::google;

// What a source is made from. The file's time and size stand for what is in it.
std::string key_of(const config::Upstream& upstream, const google::Identity& identity) {
  std::string key = upstream.credentials;
  for (const std::string& part : {upstream.token_url, upstream.ca_file, identity.origin}) key.append("\n").append(part);
  std::error_code error;
  const auto written = fs::last_write_time(identity.origin, error);
  if (!error) key.append("\n").append(std::to_string(written.time_since_epoch().count()));
  const auto size = fs::file_size(identity.origin, error);
  if (!error) key.append("\n").append(std::to_string(size));
  return key;
}

}  // namespace

TokenSources::TokenSources(Environment env, Make make) : m_env(std::move(env)), m_make(std::move(make)) {}

std::map<std::string, Result<UpstreamIdentity>> TokenSources::refresh(const std::vector<config::Upstream>& upstreams) {
  std::map<std::string, Result<UpstreamIdentity>> identities;
  std::map<std::string, std::shared_ptr<upstream::TokenSource>> needed;
  for (const config::Upstream& upstream : upstreams) {
    if (upstream.kind != config::UpstreamKind::vertex) continue;
    auto found = google::find_identity(upstream, m_env);
    if (!found) {
      identities.emplace(upstream.name, found.error());
      continue;
    }
    UpstreamIdentity identity{found->project, found->quota_project, nullptr};
    const std::string key = key_of(upstream, *found);
    auto& source = needed[key];
    if (const auto kept = m_sources.find(key); !source && kept != m_sources.end()) source = kept->second;
    if (!source) source = try_to_make(std::move(*found), upstream);
    if (!source) {
      identities.emplace(upstream.name, fail(ErrorKind::internal, "there are no descriptors to ask for its tokens"));
      continue;
    }
    identity.tokens = source;
    identities.emplace(upstream.name, std::move(identity));
  }
  m_sources = std::move(needed);
  return identities;
}

// Null: there is nothing to ask with. The next refresh() may have it.
std::shared_ptr<upstream::TokenSource> TokenSources::try_to_make(google::Identity identity,
                                                                 const config::Upstream& upstream) try {
  return m_make(std::move(identity), upstream);
} catch (const std::system_error& trouble) {
  log::error("upstream " + upstream.name + " has no access tokens: " + trouble.what());
  return nullptr;
}

TokenSources::Make google_token_sources(upstream::Transport& transport, const Clock& clock, Environment env) {
  return [&transport, &clock, env = std::move(env)](google::Identity identity, const config::Upstream& upstream) {
    google::GoogleTokenSource::Options options;
    options.origin = identity.origin;
    options.token_url = upstream.token_url;
    options.ca_file = upstream.ca_file;
    options.find_again = [upstream, env]() -> Result<google::Credentials> {
      auto found = google::find_identity(upstream, env);
      if (!found) return found.error();
      return std::move(found->credentials);
    };
    return std::make_shared<google::GoogleTokenSource>(transport, clock, std::move(identity.credentials),
                                                       std::move(options));
  };
}

}  // namespace nemo
