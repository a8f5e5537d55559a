// What type-through costs and saves: the lookup alone, and the recorded typing through a daemon (scripts/bench
// type-through starts it).
//
// usage: bench_type_through --port N --key KEY --fake-port N --trace FILE [--rounds N]
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "daemon/completion/memory.h"
#include "tests/bench/http_connection.h"
#include "tests/bench/samples.h"
#include "tests/support/typing_trace.h"

namespace {

using namespace nemo;
using nemo::bench::Samples;
using Json = nlohmann::json;

struct Silent final : completion::Bell {
  void ring() noexcept override {}
};

// As many answers as a seat's memory holds, each after a file of 20 KB; looked for in the middle of typing them.
void measure_lookup() {
  constexpr int k_answers = 1'000;
  constexpr int k_lookups = 20'000;
  completion::Memory memory;
  Silent bell;
  std::string file;
  for (int i = 0; file.size() < 6'000; ++i) file += "  line " + std::to_string(i * 7919) + " = call();\n";
  std::vector<completion::Asked> questions;
  for (int i = 0; i < k_answers; ++i) {
    completion::Remembered one;
    one.asked.seat = "ann";
    one.asked.terms = "model=m";
    one.asked.prefix = file + "value_" + std::to_string(i) + " = ";
    one.asked.suffix = "\n}\n";
    one.answer =
        "compute(" + std::to_string(i) + ", with, some, arguments);\n  return value_" + std::to_string(i) + ";\n";
    if (i % 10 == 0) one.answer += std::string(1'500, 'x');  // some are long
    questions.push_back(one.asked);
    questions.back().prefix += one.answer.substr(0, 12);
    memory.recall(std::move(one));
  }
  Samples found;
  Samples missed;
  for (int i = 0; i < k_lookups; ++i) {
    completion::Asked asked = questions[static_cast<std::size_t>(i) % questions.size()];
    const bool hits = i % 2 == 0;
    if (!hits) asked.prefix += "~";
    const double start = bench::monotonic_ms();
    const auto result = memory.find(asked, WallTime{}, bell);
    (hits ? found : missed).add((bench::monotonic_ms() - start) * 1e3);
    if (std::holds_alternative<completion::Memory::Rest>(result) != hits) throw std::runtime_error("a wrong lookup");
  }
  std::printf("lookup among %d answers, found:     p50 %6.1f us  p99 %6.1f us\n", k_answers, found.quantile(0.5),
              found.quantile(0.99));
  std::printf("lookup among %d answers, not found: p50 %6.1f us  p99 %6.1f us\n", k_answers, missed.quantile(0.5),
              missed.quantile(0.99));
}

std::int64_t tokens_in(const Json& usage) {
  return usage.value("prompt_tokens", std::int64_t{0}) + usage.value("completion_tokens", std::int64_t{0});
}

void measure_daemon(std::uint16_t port, const std::string& key, std::uint16_t fake_port, const std::string& trace,
                    int rounds) {
  const auto requests = test::play_trace(trace);
  bench::HttpConnection connection(port);
  connection.connect();
  Samples through;
  Samples asked;
  std::int64_t saved = 0;
  std::int64_t spent = 0;
  for (int round = 0; round < rounds; ++round) {
    for (const auto& request : requests) {
      Json script = {{"content", request.answer}};
      if (request.cut) script["finish_reason"] = "length";
      bench::post_json(fake_port, "/control/default", script.dump());
      // Another round is another typist: nothing is known yet.
      const Json body = {{"model", "gemini-2.5-flash"},
                         {"prompt", request.prefix},
                         {"suffix", request.suffix},
                         {"stop", {"round " + std::to_string(round)}}};
      const std::string bytes =
          bench::post_request("/v1/completions", "authorization: Bearer " + key + "\r\n", body.dump());
      std::string answer;
      const double start = bench::monotonic_ms();
      const int status = connection.call(bytes, [&](std::string_view piece) { answer.append(piece); });
      const double took_us = (bench::monotonic_ms() - start) * 1e3;
      if (status != 200) throw std::runtime_error("answered " + std::to_string(status));
      const bool is_through = answer.find("\"cmpl-req_") != std::string::npos;
      (is_through ? through : asked).add(took_us);
      if (is_through) {
        saved += static_cast<std::int64_t>(request.prefix.size() + request.suffix.size() + request.answer.size()) / 4;
      } else {
        spent += tokens_in(Json::parse(answer)["usage"]);
      }
    }
  }
  const double share = 100.0 * static_cast<double>(through.size()) / static_cast<double>(through.size() + asked.size());
  std::printf("recorded typing: %zu completions, %zu without upstream (%.1f %%)\n", through.size() + asked.size(),
              through.size(), share);
  std::printf("type-through:   p50 %6.1f us  p99 %6.1f us\n", through.quantile(0.5), through.quantile(0.99));
  std::printf("asked upstream: p50 %6.1f us  p99 %6.1f us  (an upstream that answers at once)\n", asked.quantile(0.5),
              asked.quantile(0.99));
  std::printf("upstream tokens: some %lld saved, %lld spent\n", static_cast<long long>(saved),
              static_cast<long long>(spent));
}

}  // namespace

int main(int count, char** words) {
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < count; i += 2) options[words[i]] = words[i + 1];
  try {
    measure_lookup();
    measure_daemon(static_cast<std::uint16_t>(std::stoi(options.at("--port"))), options.at("--key"),
                   static_cast<std::uint16_t>(std::stoi(options.at("--fake-port"))), options.at("--trace"),
                   options.count("--rounds") != 0 ? std::stoi(options.at("--rounds")) : 3);
  } catch (const std::exception& trouble) {
    std::fprintf(stderr, "bench_type_through: %s\n", trouble.what());
    return 1;
  }
  return 0;
}
