#!/bin/sh
# Checks the fake Google itself, with curl and openssl: what the other tests rely on.
# usage: fake_google_test.sh PATH-TO-fake_google
set -eu

program=$1
work=$(mktemp -d)
"$program" --port 0 >"$work/ready" &
pid=$!
trap 'kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT INT TERM

tries=0
until grep -qs ready "$work/ready"; do
  tries=$((tries + 1))
  [ "$tries" -lt 200 ] || { echo "the fake Google does not get ready"; exit 1; }
  sleep 0.05
done
url=$(sed 's/^fake google ready on //' "$work/ready")

failed=0
expect() { # NAME PATTERN TEXT
  if printf '%s' "$3" | grep -q -e "$2"; then
    echo "ok   $1"
  else
    echo "FAIL $1"
    printf '     wanted: %s\n     got:    %s\n' "$2" "$3"
    failed=1
  fi
}
get() { curl -s "$url$1"; }
control() { curl -s "$url/control/$1" -d "$2" >/dev/null; }
field() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }

# Tokens. The key of the account is kept in the test's folder, which goes with it.
get /control/service-account.json >"$work/account.json"
printf '%b' "$(field private_key <"$work/account.json")" >"$work/key.pem"
email=$(field client_email <"$work/account.json")
b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
assertion() { # ISSUED-AT AUDIENCE KEY
  claims="{\"iss\":\"$email\",\"scope\":\"https://www.googleapis.com/auth/cloud-platform\",\"aud\":\"$2\",\"iat\":$1,\"exp\":$(($1 + 3600))}"
  text="$(printf '{"alg":"RS256"}' | b64).$(printf '%s' "$claims" | b64)"
  printf '%s.%s' "$text" "$(printf '%s' "$text" | openssl dgst -sha256 -sign "$3" -binary | b64)"
}
ask() { # the arguments of assertion
  curl -si "$url/token" --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer \
    --data-urlencode "assertion=$(assertion "$@")"
}
google=https://oauth2.googleapis.com/token
now=$(date +%s)
granted=$(ask "$now" $google "$work/key.pem")
expect "a good assertion gets a token" '"access_token":"ya29.fake-1-[0-9a-f]*","expires_in":3600' "$granted"
expect "the desk tells the time" 'Date: [A-Z][a-z][a-z], [0-9][0-9] ' "$granted"
token=$(printf '%s' "$granted" | tail -1 | field access_token)
expect "its own address is an audience too" 'access_token' "$(ask "$now" "$url/token" "$work/key.pem")"
expect "another audience is refused" 'audience' "$(ask "$now" https://example.com/token "$work/key.pem")"
openssl genrsa -out "$work/other.pem" 2048 2>/dev/null
expect "another key is refused" 'Invalid JWT Signature' "$(ask "$now" $google "$work/other.pem")"
expect "an assertion from the future is refused" 'reasonable timeframe' "$(ask $((now + 600)) $google "$work/key.pem")"
expect "an assertion that is over is refused" 'reasonable timeframe' "$(ask $((now - 3700)) $google "$work/key.pem")"
control google '{"skew_s":7200}'
expect "with a skew the desk's own time counts" 'reasonable timeframe' "$(ask "$now" $google "$work/key.pem")"
expect "and an assertion by that time is good" 'access_token' "$(ask $((now + 7200)) $google "$work/key.pem")"
control google '{"skew_s":0}'

get /control/authorized-user.json >"$work/user.json"
refresh() { # REFRESH-TOKEN
  curl -s "$url/token" -d grant_type=refresh_token --data-urlencode "refresh_token=$1" \
    -d "client_id=$(field client_id <"$work/user.json")" -d "client_secret=$(field client_secret <"$work/user.json")"
}
expect "a refresh token gets a token" 'access_token' "$(refresh "$(field refresh_token <"$work/user.json")")"
expect "another refresh token is refused" '"error":"invalid_grant"' "$(refresh 1//nobody)"
metadata=/computeMetadata/v1/instance/service-accounts/default/token
expect "the metadata server wants its header" '403' "$(curl -s -o /dev/null -w '%{http_code}' "$url$metadata")"
expect "and with it gives a token" 'access_token' "$(curl -s -H 'Metadata-Flavor: Google' "$url$metadata")"
control google '{"hold_tokens":true}'
curl -s "$url/journal/reset" -d '{}' >/dev/null
refresh "$(field refresh_token <"$work/user.json")" >"$work/held" &
client=$!
tries=0
until get /journal/summary | grep -q '"POST /token":1' || [ "$tries" -gt 200 ]; do
  tries=$((tries + 1))
  sleep 0.05
done
expect "a held token is not given" '^0$' "$(wc -c <"$work/held" | tr -d ' ')"
control release ''
wait "$client"
expect "until it is released" 'access_token' "$(cat "$work/held")"
control google '{"hold_tokens":false}'
control google '{"token_error":{"status":503,"error":"internal_failure","times":1}}'
expect "a scripted refusal comes" 'internal_failure' "$(refresh 1//nobody)"
expect "as often as it was asked for" 'invalid_grant' "$(refresh 1//nobody)"

# Vertex.
place=/v1/projects/nemo-test/locations/europe-west4
vertex() { # PATH BODY [CURL ARGUMENTS]
  path=$1; body=$2; shift 2
  curl -sN -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$url$path" -d "$body" "$@"
}
openai=$place/endpoints/openapi/chat/completions
hello='"messages":[{"role":"user","content":"hello"}]'
expect "Gemini's reasoning is outside completion_tokens" \
  '"usage":{"prompt_tokens":5,"completion_tokens":12,"total_tokens":24,"completion_tokens_details":{"reasoning_tokens":7},"extra_properties":{"google":{"traffic_type":"ON_DEMAND"}}}' \
  "$(vertex $openai "{\"model\":\"google/gemini-2.5-flash\",$hello}")"
expect "another model's is inside" '"prompt_tokens":5,"completion_tokens":19,"total_tokens":24' \
  "$(vertex $openai "{\"model\":\"openai/gpt-oss-20b-maas\",$hello}")"
expect "a Gemini stream ends with its usage and [DONE]" '"total_tokens":24.*data: \[DONE\]' \
  "$(vertex $openai "{\"model\":\"google/gemini-2.5-flash\",\"stream\":true,\"stream_options\":{\"include_usage\":true},$hello}" | tr '\n' ' ')"
expect "a model without its publisher is refused" 'INVALID_ARGUMENT' "$(vertex $openai "{\"model\":\"gemini-2.5-flash\",$hello}")"

claude=$place/publishers/anthropic/models/claude-sonnet-4-5@20250929
version='"anthropic_version":"vertex-2023-10-16","max_tokens":100'
expect "Claude answers as Anthropic does" '"stop_reason":"end_turn".*"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":12}' \
  "$(vertex $claude:rawPredict "{$version,$hello}")"
streamed=$(vertex $claude:streamRawPredict "{$version,\"stream\":true,\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":50},$hello}" | tr '\n' ' ')
expect "and streams its thoughts before its text" 'message_start.*thinking_delta.*signature_delta.*text_delta.*"output_tokens":19.*message_stop' "$streamed"
expect "Claude calls a tool" '"type":"tool_use".*"name":"look"' \
  "$(vertex $claude:rawPredict "{$version,\"tools\":[{\"name\":\"look\",\"input_schema\":{}}],\"messages\":[{\"role\":\"user\",\"content\":\"use the tool look\"}]}")"
expect "Claude wants no model in the body" 'model: Extra inputs' "$(vertex $claude:rawPredict "{$version,\"model\":\"claude\",$hello}")"
expect "Claude wants its version" 'vertex-2023-10-16' "$(vertex $claude:rawPredict "{\"max_tokens\":9,$hello}")"

mistral=$place/publishers/mistralai/models
expect "Codestral fills a hole" '"message":{"role":"assistant","content":"[a-z ]*"}.*"prompt_tokens":4,"completion_tokens":12,"total_tokens":16' \
  "$(vertex $mistral/codestral-2:rawPredict '{"model":"codestral-2","prompt":"def f(","suffix":"return"}')"
expect "and streams, usage on the chunk that finishes" '"finish_reason":"stop"}\],"usage":{"prompt_tokens":2.*\[DONE\]' \
  "$(vertex $mistral/codestral@2405:streamRawPredict '{"model":"codestral","prompt":"def f(","stream":true}' | tr '\n' ' ')"
expect "Mistral wants its model in the body" 'the URL another' \
  "$(vertex $mistral/codestral-2:rawPredict '{"prompt":"def f("}')"
expect "and knows no other fields in a FIM body" 'stream_options: Extra inputs' \
  "$(vertex $mistral/codestral-2:rawPredict '{"model":"codestral-2","prompt":"a","stream_options":{}}')"
expect "Mistral chats" '"total_tokens":17' \
  "$(vertex $mistral/mistral-medium-3:rawPredict "{\"model\":\"mistral-medium-3\",$hello}")"

expect "texts are embedded by :predict" '"token_count":2,"truncated":false}}}\]' \
  "$(vertex $place/publishers/google/models/text-embedding-005:predict '{"instances":[{"content":"hello"}],"parameters":{"outputDimensionality":3}}')"
expect "and one by :embedContent" '"usageMetadata":{"promptTokenCount":2' \
  "$(vertex $place/publishers/google/models/gemini-embedding-2:embedContent '{"content":{"parts":[{"text":"hello"}]}}')"
expect "gemini-embedding-2 has no :predict" 'NOT_FOUND' \
  "$(vertex $place/publishers/google/models/gemini-embedding-2:predict '{"instances":[{"content":"hello"}]}')"

gemini=$place/publishers/google/models/gemini-2.5-flash
contents='"contents":[{"role":"user","parts":[{"text":"hello"}]}]'
expect "Gemini answers natively, thoughts beside the candidates" \
  '"finishReason":"STOP".*"promptTokenCount":5,"candidatesTokenCount":12,"totalTokenCount":24,.*"thoughtsTokenCount":7' \
  "$(vertex $gemini:generateContent "{$contents}")"
expect "and streams, the finish and the usage last" 'data: .*"text":"".*"finishReason":"STOP".*"thoughtsTokenCount":7' \
  "$(vertex "$gemini:streamGenerateContent?alt=sse" "{$contents}" | tr '\r\n' '  ')"
expect "it knows no other fields" 'Unknown name \\"nemo_lane\\"' \
  "$(vertex $gemini:generateContent "{$contents,\"nemo_lane\":\"x\"}")"

good="{\"model\":\"google/gemini-2.5-flash\",$hello}"
expect "another project is refused" 'PERMISSION_DENIED' "$(vertex /v1/projects/other/locations/eu/endpoints/openapi/chat/completions "$good")"
expect "an unknown location is refused" 'NOT_FOUND' "$(vertex /v1/projects/nemo-test/locations/mars/endpoints/openapi/chat/completions "$good")"
expect "the journal has what was billed" '"claude-sonnet-4-5@20250929":{"completed":{"input_tokens":[0-9]*,"cached_tokens":0,"output_tokens":32' "$(get /journal/summary)"
curl -s "$url/control/rule" -d '{"model":"google/*","script":{"status":429,"retry_after":"2"},"times":1}' >/dev/null
expect "a scripted refusal is Google's" '"code":429,"message":"Resource exhausted.*","status":"RESOURCE_EXHAUSTED"' "$(vertex $openai "$good")"
control google '{"error_list":true}'
control revoke ''
expect "a revoked token is refused, here in a list" '^\[{"error":{"code":401,.*"status":"UNAUTHENTICATED"}}\]' "$(vertex $openai "$good")"
control google '{"expires_in":0}'
token=$(refresh "$(field refresh_token <"$work/user.json")" | field access_token)
expect "a token that has ended is refused" '"code":401' "$(vertex $openai "$good")"

exit "$failed"
