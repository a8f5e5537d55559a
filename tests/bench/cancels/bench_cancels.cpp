// How long after a client has left its upstream is told, for every API that clients speak (scripts/bench cancels starts
// what it needs). The client's close and the upstream's view of its own connection are read from one clock.
//
// usage: bench_cancels --port N --key KEY --upstream-port N --google-port N [--rounds N]
// Exit status 1: some are above 5 ms at their median, or their upstream was not told at all.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/cancels/leaving_calls.h"
#include "tests/bench/http_connection.h"
#include "tests/bench/samples.h"

namespace {

using namespace nemo::bench;  // the program is about nothing else

constexpr double k_goal_us = 5'000;
constexpr const char* k_patience_ms = "2000";  // after that a cancel counts as not passed on
// A stream stops in the middle of its words and stays silent; a whole answer's head does not come.
constexpr const char* k_silent_stream =
    R"({"content":"alpha beta gamma delta epsilon zeta eta theta iota kappa","stall_after_chunks":6})";
constexpr const char* k_no_head = R"({"delay_ms":600000})";
constexpr const char* k_word_in_stream = "beta";

struct Options {
  std::uint16_t port = 0;
  std::uint16_t upstream_port = 0;
  std::uint16_t google_port = 0;
  std::string key;
  int rounds = 200;

  std::uint16_t port_behind(const LeavingCall& call) const {
    return call.behind == Behind::fake_google ? google_port : upstream_port;
  }
};

struct Row {
  LeavingCall call;
  Samples took_us;
  int missed = 0;
  std::string trouble;
};

std::string name_of(const LeavingCall& call) {
  return call.surface + (call.mode == Mode::streamed ? ", streamed" : ", whole") + ", upstream asked in " + call.spoken;
}

double number_after(const std::string& json, const std::string& key) {
  const auto at = json.find("\"" + key + "\":");
  return at == std::string::npos ? 0 : std::atof(json.c_str() + at + key.size() + 3);
}

struct Counts {
  long started = 0;
  long cancelled = 0;
};

Counts counts_at(std::uint16_t fake_port) {
  const std::string summary = get_body(fake_port, "/journal/summary");
  return {static_cast<long>(number_after(summary, "started")), static_cast<long>(number_after(summary, "cancelled"))};
}

void wait_for(std::uint16_t fake_port, const char* what, long count) {
  get_body(fake_port,
           std::string("/journal/wait?") + what + "=" + std::to_string(count) + "&timeout_ms=" + k_patience_ms);
}

// Until some of a stream's words are here, or upstream has the request of an answer that is awaited whole.
void wait_for_the_middle(const LeavingCall& call, HttpConnection& connection, std::uint16_t fake_port, long started) {
  if (call.mode == Mode::whole) {
    wait_for(fake_port, "started", started + 1);
    if (counts_at(fake_port).started == started) {
      throw std::runtime_error("upstream was not asked: " + std::string(connection.receive()));
    }
    return;
  }
  std::string seen;
  while (seen.find(k_word_in_stream) == std::string::npos) {
    seen += connection.receive();
    if (!seen.starts_with("HTTP/1.1 200")) throw std::runtime_error("refused: " + seen);
  }
}

// Negative: upstream was not told in time.
double leave_once(const Options& options, const LeavingCall& call, int number) {
  const std::uint16_t fake_port = options.port_behind(call);
  const Counts before = counts_at(fake_port);
  HttpConnection connection(options.port);
  connection.connect();
  connection.send(request_of(call, options.key, number));
  wait_for_the_middle(call, connection, fake_port, before.started);
  const double left_ms = monotonic_ms();
  connection.close();
  wait_for(fake_port, "cancelled", before.cancelled + 1);
  const double told_ms = number_after(get_body(fake_port, "/journal?last=1"), "cancelled_at_ms");
  return told_ms > 0 ? (told_ms - left_ms) * 1e3 : -1;
}

void measure(const Options& options, Mode mode, std::vector<Row>& rows, int& number) {
  for (const std::uint16_t port : {options.upstream_port, options.google_port}) {
    post_json(port, "/control/default", mode == Mode::streamed ? k_silent_stream : k_no_head);
  }
  for (int round = -1; round < options.rounds; ++round) {  // the first one warms up
    for (Row& row : rows) {
      if (row.call.mode != mode || !row.trouble.empty() || row.missed >= 2) continue;
      try {
        const double took_us = leave_once(options, row.call, ++number);
        if (took_us < 0) {
          ++row.missed;
        } else if (round >= 0) {
          row.took_us.add(took_us);
        }
      } catch (const std::runtime_error& trouble) {
        row.trouble = trouble.what();
        std::fprintf(stderr, "%s: %s\n", name_of(row.call).c_str(), trouble.what());
      }
    }
  }
}

void add_to(std::string& list, const Row& row) {
  list.append(list.empty() ? "" : "; ").append(name_of(row.call));
}

int report(const std::vector<Row>& rows) {
  std::printf("| client leaves -> upstream told | upstream is asked in | answer | p50, µs | p99, µs | worst, µs |\n");
  std::printf("|---|---|---|--:|--:|--:|\n");
  std::string untold;
  std::string above;
  for (const Row& row : rows) {
    std::printf("| %s | %s | %s |", row.call.surface.c_str(), row.call.spoken.c_str(),
                row.call.mode == Mode::streamed ? "streamed" : "whole");
    if (!row.trouble.empty()) {
      std::printf(" failed | | |\n");
      add_to(untold, row);
    } else if (row.missed > 0) {
      std::printf(" not within %s ms | | |\n", k_patience_ms);
      add_to(untold, row);
    } else {
      std::printf(" %.0f | %.0f | %.0f |\n", row.took_us.quantile(0.5), row.took_us.quantile(0.99),
                  row.took_us.quantile(1));
      if (row.took_us.quantile(0.5) > k_goal_us) add_to(above, row);
    }
  }
  std::printf("\n");
  if (!untold.empty()) std::printf("not measured, or not told at all: %s\n", untold.c_str());
  std::printf("above 5 ms at p50: %s\n", above.empty() ? "none" : above.c_str());
  return above.empty() && untold.empty() ? 0 : 1;
}

std::uint16_t port_in(const std::map<std::string, std::string>& words, const char* name) {
  return static_cast<std::uint16_t>(std::stoi(words.at(name)));
}

}  // namespace

int main(int count, char** given) {
  std::map<std::string, std::string> words;
  for (int i = 1; i + 1 < count; i += 2) words[given[i]] = given[i + 1];
  try {
    Options options;
    options.port = port_in(words, "--port");
    options.upstream_port = port_in(words, "--upstream-port");
    options.google_port = port_in(words, "--google-port");
    options.key = words.at("--key");
    if (words.count("--rounds") != 0) options.rounds = std::stoi(words.at("--rounds"));
    std::vector<Row> rows;
    for (LeavingCall& call : leaving_calls()) rows.push_back({std::move(call), {}, 0, ""});
    int number = 0;
    for (const Mode mode : {Mode::streamed, Mode::whole}) measure(options, mode, rows, number);
    return report(rows);
  } catch (const std::exception& trouble) {
    std::fprintf(stderr, "bench_cancels: %s\n", trouble.what());
    return 2;
  }
}
