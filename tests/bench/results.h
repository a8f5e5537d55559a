// Results travel in a file, one line each, so that other tools (wrk) can add theirs; the report is made from it.
#pragma once

#include <optional>
#include <string>

#include "tests/bench/samples.h"

namespace nemo::bench {

struct Result {
  std::string metric;  // as it is shown, with its unit
  std::string target;
  double p50 = 0;
  std::optional<double> p99;
  // What nemod / nginx compares: what each adds to direct, or the values themselves; nothing: no ratio.
  std::string compare;  // added | value | none
  std::string note;     // shown instead of the numbers
};

class ResultFile {
 public:
  explicit ResultFile(std::string path) : m_path(std::move(path)) {}
  void add(const Result& result) const;
  void add(const std::string& metric, const std::string& target, const Samples& samples,
           const std::string& compare) const;

 private:
  std::string m_path;
};

// One markdown table on standard output, metrics in the order in which they came.
void print_report(const std::string& results_path);

}  // namespace nemo::bench
