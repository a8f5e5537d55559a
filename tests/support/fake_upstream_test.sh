#!/bin/sh
# Checks the fake upstream itself, with curl: what the other tests rely on.
# usage: fake_upstream_test.sh PATH-TO-fake_upstream
set -eu

program=$1
work=$(mktemp -d)
"$program" --port 0 >"$work/ready" &
pid=$!
trap 'kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT INT TERM

tries=0
until grep -q ready "$work/ready"; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo "the fake upstream does not get ready"; exit 1; }
  sleep 0.05
done
url=$(sed 's/^fake upstream ready on //' "$work/ready")

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
refuse() { # NAME PATTERN TEXT
  if printf '%s' "$3" | grep -q -e "$2"; then
    echo "FAIL $1: found $2"
    failed=1
  else
    echo "ok   $1"
  fi
}
get() { curl -s "$url$1"; }
post() { path=$1; shift; curl -sN -H 'content-type: application/json' -H 'authorization: Bearer fake-secret' "$url$path" -d "$@"; }
chat() { post /v1/chat/completions "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],$1}"; }

expect "the models are listed" '"id":"gemini-2.5-flash"' "$(get /v1/models)"
expect "an answer has the counts that its text tells" '"usage":{"prompt_tokens":5,"completion_tokens":12,"total_tokens":17}' \
  "$(post /v1/chat/completions '{"model":"m","messages":[{"role":"user","content":"hello"}]}')"
first=$(chat '"fake":{"tokens":3}')
expect "a stream ends with [DONE]" 'data: \[DONE\]' "$first"
refuse "usage is not streamed unless it was asked for" '"usage"' "$first"
expect "usage is streamed when it was asked for" '"choices":\[\],"usage"' \
  "$(chat '"stream_options":{"include_usage":true}')"
expect "the same prompt gets the same words" 'same' \
  "$([ "$(echo "$first" | sed 's/fake-[0-9]*//')" = "$(chat '"fake":{"tokens":3}' | sed 's/fake-[0-9]*//')" ] && echo same)"
expect "max_tokens ends an answer" '"finish_reason":"length"' "$(chat '"max_tokens":2')"
expect "a tool is called when the user says so" '"name":"look"' \
  "$(post /v1/chat/completions '{"model":"m","tools":[{"type":"function","function":{"name":"look"}}],"messages":[{"role":"user","content":"use the tool look"}]}')"
expect "embeddings in base64 are text" '"embedding":"[A-Za-z0-9+/=]*"' \
  "$(post /v1/embeddings '{"model":"m","input":"a","encoding_format":"base64"}')"
expect "a scripted refusal has its status" '429' \
  "$(post /v1/completions '{"model":"m","prompt":"a","fake":{"status":429,"retry_after":2}}' -o /dev/null -w '%{http_code}')"

post /control/rule '{"model":"m","script":{"status":503},"times":1}' >/dev/null
expect "a rule with times answers that often" '503 200' \
  "$(for _ in 1 2; do post /v1/completions '{"model":"m","prompt":"a"}' -o /dev/null -w '%{http_code} '; done)"
expect "a script with an unknown field is refused" 'unknown script field: nonsense' "$(chat '"fake":{"nonsense":1}')"

for cut in reset close truncate_chunked; do
  code=0
  chat "\"fake\":{\"cut\":\"$cut\",\"cut_after_chunks\":2}" >/dev/null || code=$?
  expect "a stream cut by $cut is an error to curl" '^\(18\|56\)$' "$code"
done

post /journal/reset '{}' >/dev/null
post /v1/completions '{"model":"m","prompt":"a","stream":true,"fake":{"stall_after_chunks":3}}' -m 1 >/dev/null || true
expect "a client that leaves a stalled stream is noticed" '"cancelled":1' "$(get '/journal/wait?cancelled=1&timeout_ms=5000')"
journal=$(get /journal)
expect "the journal has the moment" '"cancelled":true,"cancelled_at_ms":[0-9]*\.' "$journal"
expect "the journal says that a key was sent" '"authorization_seen":true' "$journal"
refuse "the journal never holds the key" 'fake-secret' "$journal"

# The gate.
journal_has() { # PATTERN: waits for it
  tries=0
  until get /journal | grep -q -e "$1"; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || return 1
    sleep 0.05
  done
}
script() { post /journal/reset '{}' >/dev/null; post /control/default "$1" >/dev/null; }
release() { post /control/release '' >/dev/null; }
whole='{"model":"m","prompt":"a"}'

script '{"hold":true,"content":"held back"}'
post /v1/completions "$whole" >"$work/whole" &
client=$!
expect "a held call is listed" '"started":1' "$(get '/journal/wait?started=1&timeout_ms=10000')"
expect "and gets no head" '"state":"open".*"first_byte_ms":null' "$(get /journal)"
release
wait "$client"
expect "until it is released" 'held back' "$(cat "$work/whole")"
expect "which is for those that come later too" 'held back' "$(post /v1/completions "$whole" -m 20)"

script '{"hold":true,"status":503}'
expect "a script that is set anew holds again" '^000$' \
  "$(post /v1/completions "$whole" -o /dev/null -m 1 -w '%{http_code}' || true)"
expect "a client that leaves a held call is noticed" '"cancelled":1' "$(get '/journal/wait?cancelled=1&timeout_ms=10000')"
release
expect "a refusal is held and released too" '503' \
  "$(post /v1/completions "$whole" -o /dev/null -m 20 -w '%{http_code}')"

script '{"hold_after_chunks":3,"tokens":6}'
chat '"user":"u"' >"$work/stream" &
client=$!
expect "a stream rests after its chunks" 'yes' "$(journal_has '"chunks_sent":3' && echo yes)"
refuse "and sends no more" 'DONE' "$(cat "$work/stream")"
post /control/rule '{"model":"other","script":{"tokens":1}}' >/dev/null
release
wait "$client"
expect "until it is released" 'data: \[DONE\]' "$(cat "$work/stream")"

script '{"hold_after_chunks":1}'
post /v1/completions "$whole" -i >"$work/whole" &
client=$!
expect "of a whole answer the head goes out" 'yes' "$(journal_has '"state":"open".*"first_byte_ms":[0-9]' && echo yes)"
refuse "and its body is held" 'text_completion' "$(cat "$work/whole")"
release
wait "$client"
expect "until it is released" '"object":"text_completion"' "$(cat "$work/whole")"

exit "$failed"
