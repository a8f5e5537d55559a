#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>

#include "tests/bench/http_connection.h"
#include "tests/bench/measure.h"

namespace nemo::bench {
namespace {

constexpr const char* k_body =
    R"({"model":"gemini-2.5-pro","stream":true,"messages":[{"role":"user","content":"a story without an end"}]})";
constexpr double k_patience_ms = 30'000;

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// How many of the connections got a first byte of content before the time was up.
int count_started(std::vector<HttpConnection>& connections) {
  std::vector<bool> started(connections.size(), false);
  std::vector<std::string> seen(connections.size());
  int count = 0;
  const double deadline = monotonic_ms() + k_patience_ms;
  while (count < static_cast<int>(connections.size()) && monotonic_ms() < deadline) {
    std::vector<pollfd> polled;
    std::vector<std::size_t> index;
    for (std::size_t i = 0; i < connections.size(); ++i) {
      if (started[i] || connections[i].fd() < 0) continue;
      polled.push_back({connections[i].fd(), POLLIN, 0});
      index.push_back(i);
    }
    if (polled.empty() || poll(polled.data(), polled.size(), 1000) < 0) break;
    for (std::size_t k = 0; k < polled.size(); ++k) {
      if (polled[k].revents == 0) continue;
      const std::size_t i = index[k];
      try {
        seen[i] += connections[i].receive(0);
      } catch (const std::runtime_error&) {
        connections[i].close();
        continue;
      }
      if (seen[i].find("\"content\"") == std::string::npos) continue;
      started[i] = true;
      ++count;
    }
  }
  return count;
}

}  // namespace

void measure_open_streams(const std::vector<Target>& targets, const ResultFile& results, int streams,
                          std::uint16_t fake_port) {
  raise_descriptor_limit();
  post_json(fake_port, "/control/rule", R"({"model":"gemini-2.5-pro","script":{"tokens":1000000,"chunk_ms":1000}})");
  const std::string metric = std::to_string(streams) + " open streams, KiB each";
  for (const auto& target : targets) {
    const std::string request = post_request(target.path, target.headers, k_body);
    const std::int64_t before = target.pid == 0 ? 0 : resident_kib(target.pid);
    std::vector<HttpConnection> connections;
    for (int i = 0; i < streams; ++i) {
      connections.emplace_back(target.port).connect();
      connections.back().send(request);
    }
    const int started = count_started(connections);
    const std::int64_t during = target.pid == 0 ? 0 : resident_kib(target.pid);
    if (started < streams) {
      const std::string note = "only " + std::to_string(started) + " started";
      results.add({metric, target.name, 0, std::nullopt, "value", note});
    } else if (target.pid != 0) {
      const double each = static_cast<double>(during - before) / streams;
      results.add({metric, target.name, each, std::nullopt, "value", ""});
    }
  }
}

}  // namespace nemo::bench
