// eval_fim [--holes N] [--seed N] [--repository PATH]: the table of scripts/eval-fim.
#define DOCTEST_CONFIG_IMPLEMENT  // the harness needs it, and main() is this program's own
#include <doctest/doctest.h>

#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <string>
#include <string_view>

#include "tests/eval_fim/evaluate.h"

namespace {

struct Options {
  std::size_t holes = 200;
  std::uint32_t seed = 20;
  std::string repository = NEMO_REPOSITORY;
};

bool read_options(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--holes") {
      options.holes = std::strtoul(argv[i + 1], nullptr, 10);
    } else if (name == "--seed") {
      options.seed = static_cast<std::uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
    } else if (name == "--repository") {
      options.repository = argv[i + 1];
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && options.holes > 0;
}

double percent(std::size_t part, std::size_t all) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read_options(argc, argv, options)) {
    std::cerr << "usage: eval_fim [--holes N] [--seed N] [--repository PATH]\n";
    return 2;
  }
  const auto scores = nemo::eval::evaluate(nemo::eval::cut_holes(options.repository, options.holes, options.seed));
  std::cout << std::left << std::setw(28) << "surface" << std::setw(18) << "upstream" << std::right << std::setw(7)
            << "holes" << std::setw(20) << "reached the model" << std::setw(22) << "came to the client\n";
  bool all_met = true;
  for (const auto& score : scores) {
    // The plumbing has no taste: everything arrives, or something is broken.
    const bool met = score.reached == score.asked && score.returned == score.asked;
    all_met = all_met && met;
    std::cout << std::left << std::setw(28) << score.surface << std::setw(18) << score.upstream << std::right
              << std::setw(7) << score.asked << std::fixed << std::setprecision(1) << std::setw(18)
              << percent(score.reached, score.asked) << " %" << std::setw(18) << percent(score.returned, score.asked)
              << " %" << (met ? "" : "  below 100 %") << "\n";
    if (!met) std::cerr << score.first_miss << "\n";
  }
  return all_met ? 0 : 1;
}
