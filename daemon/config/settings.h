// Owns: every setting a person can write in nemo.toml, typed, with its default. The names are the contract's.
// Must not know: where the file is, who reads it, sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/catalog/catalog.h"

namespace nemo::config {

using Millis = std::chrono::milliseconds;

enum class UpstreamKind : std::uint8_t { nemo, openai, vertex, anthropic };
enum class OnDisconnect : std::uint8_t { cancel, drain };
enum class ContentLogging : std::uint8_t { none, metadata, redacted, full };

// Where a secret rests: "secret:NAME", "env:NAME" or "file:PATH".
struct SecretRef {
  enum class Kind : std::uint8_t { none, secret, env, file };
  Kind kind = Kind::none;
  std::string name;
};

struct Upstream {
  std::string name;
  UpstreamKind kind = UpstreamKind::openai;
  std::string base_url;  // without a trailing slash
  SecretRef key;
  // kind vertex
  std::string project;
  std::string location;
  std::string credentials = "adc";        // "adc" or "file:PATH"
  std::string token_url;                  // in place of Google's own; empty: https://oauth2.googleapis.com/token
  std::string header_prefix = "x-nemo-";  // kind nemo: the service's own response headers
  bool unpriced_allowed = false;          // unpriced = "allow"
  std::string completions = "auto";       // auto | native | chat : how /v1/completions is served there
  std::string responses = "chat";         // chat | native : what is asked there for /v1/responses
  std::optional<bool> http2;              // default: negotiated over TLS, HTTP/1.1 in clear
  std::string ca_file;                    // PEM; default: the system's
  Millis connect_timeout{5'000};
  Millis first_token_timeout{120'000};  // request sent -> first byte of an answer's body
  Millis idle_timeout{60'000};          // between two bytes of a stream
};

struct Deployment {
  std::string model;           // catalog id
  std::string upstream;        // an Upstream's name
  std::string upstream_model;  // what the upstream calls it; default: the catalog id
  int weight = 1;
  int order = 1;
  std::vector<std::string> tags;
  std::optional<std::int64_t> rpm;
  OnDisconnect on_disconnect = OnDisconnect::cancel;
};

struct Lane {
  std::string model;
  std::string strategy;  // one of routing's names; empty: simple-shuffle
  std::vector<std::string> fallbacks;
  std::vector<std::string> tags;
  std::optional<Millis> first_token_timeout;
  struct Hedge {
    std::optional<Millis> after;  // absent: the deployment's own p95
  };
  std::optional<Hedge> hedge;   // hedge_after = "p95" or a duration; absent: off
  std::string budget_fallback;  // on_budget = "fallback:MODEL"; empty: what the budget refuses is refused
  // [lane.completion] only. How long an answer serves those who type it; 0: not at all.
  Millis remember{0};
  Millis settle{0};  // how long a request is held to see whether a newer one comes; 0: not at all
};

struct Routing {
  int num_retries = 2;
  int allowed_fails = 3;
  Millis cooldown{5'000};
};

// What a call is cut down to at most when little is left of a budget; below it the call is refused.
struct Budgets {
  std::int64_t least_chat_tokens = 256;
  std::int64_t least_completion_tokens = 16;
};

struct Alerts {
  std::string webhook;  // an http(s) URL that a passed threshold is posted to; empty: none
};

// A second address, for clients that look for an Ollama of this machine.
struct OllamaListen {
  enum class When : std::uint8_t { off, if_free, always };  // if_free: nothing listens there when nemod starts
  When when = When::off;
  std::string host = "127.0.0.1";
  int port = 11434;
};

struct Settings {
  std::string listen_host = "127.0.0.1";
  int listen_port = 6366;
  OllamaListen ollama_listen;
  bool allow_remote = false;
  std::vector<std::string> allowed_origins;  // browser origins that may call, such as "http://localhost:3000"
  std::vector<std::string> allowed_hosts;    // Host names answered beside localhost, 127.0.0.1 and [::1]
  bool require_key = true;
  ContentLogging content_logging = ContentLogging::metadata;
  int retention_days = 90;
  std::size_t max_body_bytes = std::size_t{64} << 20U;
  std::string time_zone = "UTC";        // of budget windows: a name of the tz database
  bool whose_work = true;               // calls on this machine are told by process, project and branch
  Millis drain_timeout{30'000};         // how long SIGTERM lets running streams go on
  std::vector<Upstream> upstreams;      // without any in the file: the one named "nemo"
  std::vector<Deployment> deployments;  // explicit ones only
  std::map<std::string, Lane> lanes;    // always has "completion" and "reasoning"
  Routing routing;
  Budgets budgets;
  Alerts alerts;
  std::map<std::string, catalog::ModelOverride> models;
  std::map<std::string, std::string> aliases;  // [alias] "my-name" = "catalog id"

  const Upstream* find_upstream(const std::string& name) const;
};

}  // namespace nemo::config
