// Owns: the token sources of upstreams of kind vertex: one for each identity, kept across reloads of the config.
// Must not know: what is called with the tokens.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/config/settings.h"
#include "daemon/upstream/google/adc.h"
#include "daemon/upstream/token_source.h"
#include "daemon/upstream/transport.h"
#include "shared/clock.h"
#include "shared/paths.h"
#include "shared/result.h"

namespace nemo {

// As whom an upstream is called.
struct UpstreamIdentity {
  std::string project;
  std::string quota_project;  // empty: the project's own
  std::shared_ptr<upstream::TokenSource> tokens;
};

// One thread at a time.
class TokenSources {
 public:
  using Make = std::function<std::shared_ptr<upstream::TokenSource>(upstream::google::Identity identity,
                                                                    const config::Upstream& upstream)>;
  TokenSources(Environment env, Make make);

  // For every upstream of kind vertex, by name: its identity, or why there is none and what to do (invalid_config).
  // What the same credentials, token_url and ca_file already have a source for is not made again; a credentials file
  // that was changed since makes a new one. A source that no upstream needs any more ends with the last call that uses
  // it.
  std::map<std::string, Result<UpstreamIdentity>> refresh(const std::vector<config::Upstream>& upstreams);

 private:
  std::shared_ptr<upstream::TokenSource> try_to_make(upstream::google::Identity identity,
                                                     const config::Upstream& upstream);

  Environment m_env;
  Make m_make;
  std::map<std::string, std::shared_ptr<upstream::TokenSource>> m_sources;
};

// Those that ask Google. Transport and clock outlive every source.
TokenSources::Make google_token_sources(upstream::Transport& transport, const Clock& clock, Environment env);

}  // namespace nemo
