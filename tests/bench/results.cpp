#include "tests/bench/results.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace nemo::bench {
namespace {

struct Row {
  std::string metric;
  std::string compare;
  std::map<std::string, Result> cells;
};

// Three digits that count, and never an exponent.
std::string number(double value) {
  std::array<char, 32> text{};
  const double size = value < 0 ? -value : value;
  std::snprintf(text.data(), text.size(),
                size >= 100  ? "%.0f"
                : size >= 10 ? "%.1f"
                : size >= 1  ? "%.2f"
                             : "%.3f",
                value);
  return text.data();
}

std::vector<Row> read_rows(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error("cannot read " + path);
  std::vector<Row> rows;
  for (std::string line; std::getline(stream, line);) {
    std::vector<std::string> fields;
    std::istringstream fields_stream(line);
    for (std::string field; std::getline(fields_stream, field, '\t');) fields.push_back(field);
    fields.resize(6);
    Result result{fields[0], fields[1], std::atof(fields[2].c_str()), std::nullopt, fields[4], fields[5]};
    if (!fields[3].empty()) result.p99 = std::atof(fields[3].c_str());
    Row* row = nullptr;
    for (auto& known : rows) {
      if (known.metric == result.metric) row = &known;
    }
    if (row == nullptr) row = &rows.emplace_back(Row{result.metric, result.compare, {}});
    row->cells[result.target] = result;
  }
  return rows;
}

std::string cell(const Row& row, const std::string& target) {
  const auto found = row.cells.find(target);
  if (found == row.cells.end()) return "-";
  const Result& result = found->second;
  if (!result.note.empty()) return result.note;
  return number(result.p50) + (result.p99 ? " / " + number(*result.p99) : "");
}

std::optional<double> value(const Row& row, const std::string& target) {
  const auto found = row.cells.find(target);
  if (found == row.cells.end() || !found->second.note.empty()) return std::nullopt;
  return found->second.p50;
}

std::string added(const Row& row) {
  const auto direct = value(row, "direct");
  if (row.compare != "added" || !direct) return "-";
  std::string text;
  for (const char* target : {"nginx", "portkey", "nemod"}) {
    const auto with = value(row, target);
    text += (text.empty() ? "" : " / ") + (with ? number(*with - *direct) : "-");
  }
  return text;
}

std::string ratio(const Row& row) {
  const auto nginx = value(row, "nginx");
  const auto nemod = value(row, "nemod");
  const auto direct = value(row, "direct");
  if (!nginx || !nemod || row.compare == "none") return "-";
  if (row.compare == "value") return *nginx > 0 ? number(*nemod / *nginx) : "-";
  if (!direct || *nginx - *direct <= 0) return "-";
  return number((*nemod - *direct) / (*nginx - *direct));
}

}  // namespace

void ResultFile::add(const Result& result) const {
  std::ofstream stream(m_path, std::ios::app);
  stream.precision(9);
  stream << result.metric << '\t' << result.target << '\t' << result.p50 << '\t';
  if (result.p99) stream << *result.p99;
  stream << '\t' << result.compare << '\t' << result.note << '\n';
}

void ResultFile::add(const std::string& metric, const std::string& target, const Samples& samples,
                     const std::string& compare) const {
  add({metric, target, samples.quantile(0.5), samples.quantile(0.99), compare, samples.empty() ? "failed" : ""});
}

void print_report(const std::string& results_path) {
  std::printf(
      "| what (median / p99) | direct | nginx | portkey | nemod | added by nginx / portkey / nemod | nemod ÷ nginx "
      "|\n");
  std::printf("|---|--:|--:|--:|--:|--:|--:|\n");
  for (const Row& row : read_rows(results_path)) {
    std::printf("| %s | %s | %s | %s | %s | %s | %s |\n", row.metric.c_str(), cell(row, "direct").c_str(),
                cell(row, "nginx").c_str(), cell(row, "portkey").c_str(), cell(row, "nemod").c_str(),
                added(row).c_str(), ratio(row).c_str());
  }
}

}  // namespace nemo::bench
