#include <stdexcept>

#include "tests/bench/http_connection.h"
#include "tests/bench/measure.h"
#include "tests/bench/turns.h"

namespace nemo::bench {
namespace {

std::string chat_body(std::size_t bytes) {
  std::string body = R"({"model":"gemini-2.5-flash","messages":[{"role":"user","content":"say hello)";
  // Text with the escapes that source code has, not one long run of a letter.
  while (body.size() + 40 < bytes) body += " x = y[\\\"k\\\"] + 1;\\n";
  return body + R"("}],"max_tokens":16})";
}

// One target, and the request that it is sent again and again on one kept connection.
struct Caller {
  HttpConnection connection;
  std::string request;

  double call() {  // microseconds
    if (connection.fd() < 0) connection.connect();
    const double start = monotonic_ms();
    const int status = connection.call(request);
    if (status != 200) throw std::runtime_error("answered " + std::to_string(status));
    return (monotonic_ms() - start) * 1e3;
  }
};

std::vector<Caller> callers_of(const std::vector<Target>& targets, std::size_t body_bytes) {
  const std::string body = chat_body(body_bytes);
  std::vector<Caller> callers;
  for (const Target& target : targets) {
    callers.push_back({HttpConnection(target.port), post_request(target.path, target.headers, body)});
  }
  return callers;
}

}  // namespace

void measure_calls(const std::vector<Target>& targets, const ResultFile& results, int calls, std::size_t body_bytes) {
  std::vector<Caller> callers = callers_of(targets, body_bytes);
  std::vector<Samples> samples(targets.size());
  Turns turns(targets);
  const int warm_up = calls / 10 + 1;
  for (int i = -warm_up; i < calls; ++i) {
    for (std::size_t k = 0; k < targets.size(); ++k) {
      const std::size_t t = (k + static_cast<std::size_t>(i + warm_up)) % targets.size();
      turns.take(t, [&] {
        const double took_us = callers[t].call();
        if (i >= 0) samples[t].add(took_us);
      });
    }
  }
  const std::string metric = body_bytes < 1024 ? "small chat, 1 connection, µs" : "chat with a 200 KB body, µs";
  for (std::size_t t = 0; t < targets.size(); ++t) turns.tell(results, metric, t, samples[t], "added");
}

void measure_added(const std::vector<Target>& targets, const ResultFile& results, int calls,
                   const std::string& metric) {
  std::vector<Caller> callers = callers_of(targets, 0);
  std::vector<Samples> samples(targets.size());
  const int warm_up = calls / 10 + 1;
  for (int i = -warm_up; i < calls; ++i) {
    for (std::size_t k = 0; k < targets.size(); ++k) {
      const std::size_t t = (k + static_cast<std::size_t>(i + warm_up)) % targets.size();
      const double took_us = callers[t].call();
      if (i >= 0) samples[t].add(took_us);
    }
  }
  const double added = samples.back().quantile(0.5) - samples.front().quantile(0.5);
  results.add({metric, targets.back().name, added, std::nullopt, "value", ""});
}

void measure_memory(const std::vector<Target>& targets, const ResultFile& results, const std::string& metric) {
  for (const auto& target : targets) {
    if (target.pid == 0) continue;
    const double mib = static_cast<double>(resident_kib(target.pid)) / 1024;
    results.add({metric, target.name, mib, std::nullopt, "value", ""});
  }
}

}  // namespace nemo::bench
