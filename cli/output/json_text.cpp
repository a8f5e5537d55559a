#include "cli/output/json_text.h"

#include <nlohmann/json.hpp>

namespace nemo::cli::output {
namespace {

constexpr int k_indent = 2;

}  // namespace

std::string pretty(const admin::Json& json) {
  return json.dump(k_indent, ' ', false, admin::Json::error_handler_t::replace) + "\n";
}

std::string one_line(const admin::Json& json) {
  return json.dump(-1, ' ', false, admin::Json::error_handler_t::replace) + "\n";
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    if (fields[i].find_first_of(",\"\r\n") == std::string::npos) {
      line += fields[i];
      continue;
    }
    line += '"';
    for (const char c : fields[i]) line.append(c == '"' ? 2 : 1, c);
    line += '"';
  }
  return line + "\r\n";
}

}  // namespace nemo::cli::output
