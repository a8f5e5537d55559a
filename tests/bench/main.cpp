#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/free_ports.h"
#include "tests/bench/measure.h"

namespace {

using namespace nemo::bench;  // the program is about nothing else

constexpr const char* k_usage =
    "usage: nemo_bench MEASUREMENT --results FILE [--targets FILE] [--count N] [--fake-port N] [--label TEXT]\n"
    "                  [-- COMMAND...]\n"
    "measurements: calls, large-calls, added, streams, cancel, open-streams, memory, startup, report, free-ports\n"
    "Called by scripts/bench, which starts what is measured.\n";

struct Options {
  std::string measurement;
  std::map<std::string, std::string> values;
  std::vector<std::string> command;
};

Options read_options(int argc, char** argv) {
  Options options;
  if (argc > 1) options.measurement = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--") {
      options.command.assign(argv + i + 1, argv + argc);
      break;
    }
    if (i + 1 < argc) options.values[name] = argv[++i];
  }
  return options;
}

bool run(Options& options) {
  auto& values = options.values;
  const ResultFile results(values["--results"]);
  const int count = values.contains("--count") ? std::stoi(values["--count"]) : 100;
  const auto fake_port = static_cast<std::uint16_t>(std::atoi(values["--fake-port"].c_str()));
  const auto targets = [&](TargetKind kind) { return read_targets(values["--targets"], kind); };
  const std::string& measurement = options.measurement;
  if (measurement == "calls") {
    measure_calls(targets(TargetKind::plain), results, count, 0);
  } else if (measurement == "large-calls") {
    measure_calls(targets(TargetKind::plain), results, count, 200'000);
  } else if (measurement == "added") {
    measure_added(targets(TargetKind::plain), results, count, values["--label"]);
  } else if (measurement == "streams") {
    measure_streams(targets(TargetKind::stream), results, count, fake_port);
  } else if (measurement == "cancel") {
    measure_cancel(targets(TargetKind::stream), results, count, fake_port);
  } else if (measurement == "open-streams") {
    measure_open_streams(targets(TargetKind::stream), results, count, fake_port);
  } else if (measurement == "memory") {
    measure_memory(targets(TargetKind::plain), results, values["--label"]);
  } else if (measurement == "startup" && !options.command.empty()) {
    measure_startup(options.command, values["--label"], results, count);
  } else if (measurement == "free-ports") {
    print_free_ports(count);
  } else if (measurement == "report") {
    print_report(values["--results"]);
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options = read_options(argc, argv);
    if (run(options)) return 0;
    std::fputs(k_usage, stderr);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "nemo_bench: %s\n", error.what());
    return 1;
  }
}
