// Configs that use every table and key, for the tests of this folder.
#pragma once

#include <string_view>

namespace nemo::config {

inline constexpr std::string_view k_sample = R"(listen = "127.0.0.1:7000"      # not the usual port
allow_remote = false
allowed_origins = ["http://localhost:3000", "vscode-webview://abc"]
allowed_hosts = ["nemo.internal"]
require_key = false
whose_work = false
content_logging = "redacted"
retention_days = 30
max_body_mib = 8
drain_timeout = "10s"

[[upstream]]
name = "nemo"
kind = "nemo"
base_url = "https://api.nemorouter.ai/v1/"
key = "secret:nemo"
header_prefix = "X-Nemo-"

[[upstream]]
name = "local"
kind = "openai"
base_url = "http://127.0.0.1:11434/v1"
key = "env:LOCAL_KEY"
unpriced = "allow"
completions = "native"
responses = "native"
http2 = false
ca_file = "/etc/ssl/ca.pem"
connect_timeout = "150ms"
first_token_timeout = "2m"
idle_timeout = "1h"

[[deployment]]
model = "gemini-2.5-flash"
upstream = "nemo"
upstream_model = "google/gemini-2.5-flash"
weight = 3
order = 2
tags = ["eu"]
rpm = 600
on_disconnect = "drain"

[[deployment]]
model = "my-local-model"
upstream = "local"

[lane.completion]
# what editors type against
model = "gemini-2.5-flash"     # quick
strategy = "latency"
fallbacks = ["gemini-2.5-flash-lite"]
tags = ["code"]
first_token_timeout = "2s"
hedge_after = "p95"

[lane.reasoning]
model = "gemini-2.5-pro"
strategy = "least-busy"

[routing]
num_retries = 1
allowed_fails = 4
cooldown = "7s"

[model."my-local-model"]
context_window = 32768
max_output_tokens = 4096
price = { input = "0", cached_input = "0", cache_write = "0.5", output = "0" }
price_above_200k = { input = "1.25", output = "2" }
tags = ["code"]
capabilities = ["chat", "fim"]

[alias]
"gpt-4o" = "gemini-2.5-pro"
)";

// What only an upstream at Vertex AI or at Anthropic has.
inline constexpr std::string_view k_providers_sample = R"(
[[upstream]]
name = "vertex-eu"
kind = "vertex"
project = "my-project"
location = "europe-west4"
credentials = "file:/etc/nemo/vertex.json"
token_url = "http://127.0.0.1:9001/token"
base_url = "http://127.0.0.1:9001/"

[[upstream]]
name = "anthropic"
kind = "anthropic"
key = "env:ANTHROPIC_API_KEY"

[[upstream]]
name = "vertex"
kind = "vertex"

[[deployment]]
model = "claude-sonnet-4-5@20250929"
upstream = "anthropic"

[[deployment]]
model = "claude-sonnet-4-5@20250929"
upstream = "vertex-eu"

[[deployment]]
model = "my-claude"
upstream = "anthropic"
upstream_model = "claude-mine"

[[deployment]]
model = "my-tuned@v2"
upstream = "anthropic"

[[deployment]]
model = "claude-sonnet-4-5@20250929"
upstream = "vertex"
weight = 0

[lane.completion]
hedge_after = "800ms"

[model."my-claude"]
publisher = "anthropic"

[model."my-tuned@v2"]
)";

}  // namespace nemo::config
