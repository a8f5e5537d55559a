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

}  // namespace

void measure_calls(const std::vector<Target>& targets, const ResultFile& results, int calls, std::size_t body_bytes) {
  const std::string body = chat_body(body_bytes);
  std::vector<HttpConnection> connections;
  std::vector<std::string> requests;
  for (const auto& target : targets) {
    connections.emplace_back(target.port);
    requests.push_back(post_request(target.path, target.headers, body));
  }
  std::vector<Samples> samples(targets.size());
  Turns turns(targets);
  const int warm_up = calls / 10 + 1;
  for (int i = -warm_up; i < calls; ++i) {
    for (std::size_t k = 0; k < targets.size(); ++k) {
      const std::size_t t = (k + static_cast<std::size_t>(i + warm_up)) % targets.size();
      turns.take(t, [&] {
        if (connections[t].fd() < 0) connections[t].connect();
        const double start = monotonic_ms();
        const int status = connections[t].call(requests[t]);
        const double took_us = (monotonic_ms() - start) * 1e3;
        if (status != 200) throw std::runtime_error("answered " + std::to_string(status));
        if (i >= 0) samples[t].add(took_us);
      });
    }
  }
  const std::string metric = body_bytes < 1024 ? "small chat, 1 connection, µs" : "chat with a 200 KB body, µs";
  for (std::size_t t = 0; t < targets.size(); ++t) turns.tell(results, metric, t, samples[t], "added");
}

void measure_memory(const std::vector<Target>& targets, const ResultFile& results, const std::string& metric) {
  for (const auto& target : targets) {
    if (target.pid == 0) continue;
    const double mib = static_cast<double>(resident_kib(target.pid)) / 1024;
    results.add({metric, target.name, mib, std::nullopt, "value", ""});
  }
}

}  // namespace nemo::bench
