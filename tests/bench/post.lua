-- Load for wrk: one chat call again and again. BENCH_HEADERS holds "name: value|name: value".
wrk.method = "POST"
wrk.body = '{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"say hello"}],"max_tokens":16}'
wrk.headers["Content-Type"] = "application/json"

for header in (os.getenv("BENCH_HEADERS") or ""):gmatch("[^|]+") do
  local name, value = header:match("^([^:]+):%s*(.*)$")
  wrk.headers[name] = value
end

-- One line for scripts/bench: calls a second, median and 99th percentile in microseconds, failures.
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format("RESULT %.1f %.1f %.1f %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50), latency:percentile(99), failed))
end
