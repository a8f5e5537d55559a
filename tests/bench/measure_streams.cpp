#include <cstdlib>
#include <stdexcept>

#include "tests/bench/http_connection.h"
#include "tests/bench/measure.h"
#include "tests/bench/turns.h"

namespace nemo::bench {
namespace {

constexpr const char* k_stream_body =
    R"({"model":"gemini-2.5-pro","stream":true,"messages":[{"role":"user","content":"tell me a story"}]})";
constexpr int k_patience_ms = 2000;  // after that a cancel counts as not passed on

void script(std::uint16_t fake_port, const std::string& fields) {
  post_json(fake_port, "/control/rule", R"({"model":"gemini-2.5-pro","script":)" + fields + "}");
}

std::vector<std::string> requests_for(const std::vector<Target>& targets) {
  std::vector<std::string> requests;
  requests.reserve(targets.size());
  for (const auto& target : targets) requests.push_back(post_request(target.path, target.headers, k_stream_body));
  return requests;
}

double number_after(const std::string& json, const std::string& key) {
  const auto at = json.find("\"" + key + "\":");
  return at == std::string::npos ? 0 : std::atof(json.c_str() + at + key.size() + 3);
}

// One stream, left while it is stalled. Negative: upstream was not told in time.
double cancel_once(const Target& target, const std::string& request, std::uint16_t fake_port) {
  const int before = static_cast<int>(number_after(get_body(fake_port, "/journal/summary"), "cancelled"));
  HttpConnection connection(target.port);
  connection.connect();
  connection.send(request);
  std::string seen;
  while (seen.find("\"content\":\"") == seen.rfind("\"content\":\"")) seen += connection.receive();
  const double closed_ms = monotonic_ms();
  connection.close();
  get_body(fake_port,
           "/journal/wait?cancelled=" + std::to_string(before + 1) + "&timeout_ms=" + std::to_string(k_patience_ms));
  const std::string journal = get_body(fake_port, "/journal?last=1");
  const double cancelled_ms = number_after(journal, "cancelled_at_ms");
  return cancelled_ms > 0 ? cancelled_ms - closed_ms : -1;
}

}  // namespace

void measure_streams(const std::vector<Target>& targets, const ResultFile& results, int streams,
                     std::uint16_t fake_port) {
  script(fake_port, R"({"tokens":40,"chunk_ms":5,"role_chunk":false})");
  const auto requests = requests_for(targets);
  std::vector<HttpConnection> connections;
  connections.reserve(targets.size());
  for (const auto& target : targets) connections.emplace_back(target.port);
  std::vector<Samples> first(targets.size());
  std::vector<Samples> gaps(targets.size());
  Turns turns(targets);
  for (int i = -1; i < streams; ++i) {
    for (std::size_t t = 0; t < targets.size(); ++t) {
      turns.take(t, [&] {
        if (connections[t].fd() < 0) connections[t].connect();
        const double start = monotonic_ms();
        double last = 0;
        const int status = connections[t].call(requests[t], [&](std::string_view bytes) {
          if (bytes.find("data: {") == std::string_view::npos) return;
          const double now = monotonic_ms();
          if (i >= 0 && last == 0) first[t].add((now - start) * 1e3);
          if (i >= 0 && last != 0) gaps[t].add(now - last);
          last = now;
        });
        if (status != 200) throw std::runtime_error("answered " + std::to_string(status));
      });
    }
  }
  for (std::size_t t = 0; t < targets.size(); ++t) {
    turns.tell(results, "first words of a stream, µs", t, first[t], "added");
  }
  for (std::size_t t = 0; t < targets.size(); ++t) {
    turns.tell(results, "gap between chunks sent every 5 ms, ms", t, gaps[t], "none");
  }
}

void measure_cancel(const std::vector<Target>& targets, const ResultFile& results, int times, std::uint16_t fake_port) {
  script(fake_port, R"({"stall_after_chunks":4})");
  const auto requests = requests_for(targets);
  std::vector<Samples> samples(targets.size());
  Turns turns(targets);
  std::vector<int> missed(targets.size(), 0);
  for (int i = 0; i < times; ++i) {
    for (std::size_t t = 0; t < targets.size(); ++t) {
      if (missed[t] >= 2) continue;
      turns.take(t, [&] {
        const double took_ms = cancel_once(targets[t], requests[t], fake_port);
        if (took_ms < 0) {
          ++missed[t];
        } else {
          samples[t].add(took_ms * 1e3);
        }
      });
    }
  }
  const std::string metric = "client leaves -> upstream told, µs";
  for (std::size_t t = 0; t < targets.size(); ++t) {
    if (missed[t] > 0) {
      results.add({metric, targets[t].name, 0, std::nullopt, "value", "not within 2 s"});
    } else {
      turns.tell(results, metric, t, samples[t], "value");
    }
  }
}

}  // namespace nemo::bench
