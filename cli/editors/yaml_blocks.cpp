#include "cli/editors/yaml_blocks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "cli/editors/setting.h"
#include "cli/editors/text_layout.h"

namespace nemo::cli::editors {
namespace {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool is_comment(std::string_view line) {
  const std::size_t at = line.find_first_not_of(" \t");
  return at != std::string_view::npos && line[at] == '#';
}

bool is_dash(std::string_view line) {
  return !line.empty() && line[0] == '-' &&
         (line.size() == 1 || std::isspace(static_cast<unsigned char>(line[1])) != 0);
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view k_blanks = " \t\r\n";
  const std::size_t begin = line.find_first_not_of(k_blanks);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(k_blanks) - begin + 1);
}

// Where a value on one line ends: at a comment or the blanks at the line's end.
std::size_t end_of_scalar(std::string_view line, std::size_t begin) {
  std::size_t at = begin;
  if (at < line.size() && (line[at] == '"' || line[at] == '\'')) {
    const char quote = line[at++];
    while (at < line.size() && line[at] != quote) at += line[at] == '\\' && quote == '"' ? 2 : 1;
    if (at < line.size()) return at + 1;
    at = line.size();
  }
  while (at < line.size() && !(line[at] == '#' && std::isspace(static_cast<unsigned char>(line[at - 1])) != 0)) ++at;
  while (at > begin && std::isspace(static_cast<unsigned char>(line[at - 1])) != 0) --at;
  return at;
}

struct Pair {
  std::string key;
  std::size_t value_begin = 0;
  std::size_t value_end = 0;
};

// `key: value` at the beginning of the line.
std::optional<Pair> read_pair(std::string_view line) {
  constexpr std::string_view k_not_first = "-?:,[]{}#&*!|>'\"%@` \t";
  if (line.empty()) return std::nullopt;
  Pair pair;
  std::size_t colon = 0;
  if (line[0] == '"' || line[0] == '\'') {
    const std::size_t close = line.find(line[0], 1);
    if (close == std::string_view::npos || line.substr(0, close).find('\\') != std::string_view::npos) {
      return std::nullopt;
    }
    pair.key = line.substr(1, close - 1);
    colon = close + 1;
  } else if (k_not_first.find(line[0]) == std::string_view::npos) {
    colon = line.find(':');
    while (colon != std::string_view::npos && colon + 1 < line.size() &&
           std::isspace(static_cast<unsigned char>(line[colon + 1])) == 0) {
      colon = line.find(':', colon + 1);
    }
    if (colon == std::string_view::npos || line.substr(0, colon).find('#') != std::string_view::npos) {
      return std::nullopt;
    }
    pair.key = trimmed(line.substr(0, colon));
  }
  if (colon == 0 || colon >= line.size() || line[colon] != ':') return std::nullopt;
  if (colon + 1 < line.size() && std::isspace(static_cast<unsigned char>(line[colon + 1])) == 0) return std::nullopt;
  pair.value_begin = std::min(line.find_first_not_of(" \t\r\n", colon + 1), line.size());
  if (pair.value_begin == line.size() || line[pair.value_begin] == '#') {
    pair.value_begin = pair.value_end = colon + 1;
  } else {
    pair.value_end = end_of_scalar(line, pair.value_begin);
  }
  return pair;
}

Error refusal(std::string_view text, std::size_t at, const char* reason) {
  return fail(ErrorKind::invalid_config, "line " + std::to_string(line_at(text, at)) + ": " + reason);
}

// Why a line at the margin that begins no block cannot stand there; nothing when it belongs to the block above.
const char* fault_of(std::string_view line, bool has_blocks) {
  if (is_dash(line) && has_blocks) return nullptr;
  if (trimmed(line) == "---" && !has_blocks) return nullptr;
  return "only names with values at the margin are understood here";
}

}  // namespace

Result<std::vector<YamlBlock>> read_yaml_blocks(std::string_view text) {
  if (text.size() > k_largest_file) return fail(ErrorKind::invalid_config, "the file is larger than 4 MiB");
  std::vector<YamlBlock> blocks;
  for (std::size_t at = 0; at < text.size(); at = line_end(text, at)) {
    const std::size_t end = line_end(text, at);
    const std::string_view line = text.substr(at, end - at);
    if (line.find('\0') != std::string_view::npos) return refusal(text, at, "this is not a text");
    if (is_blank(line) || is_comment(line)) continue;
    const std::string_view blanks = indentation_at(text, at);
    if (blanks.find('\t') != std::string_view::npos) return refusal(text, at, "YAML does not allow tabs here");
    if (!blanks.empty()) {
      if (blocks.empty()) return refusal(text, at, "the first name is expected at the margin");
      blocks.back().end = end;
      continue;
    }
    const auto pair = read_pair(line);
    if (!pair) {
      if (const char* fault = fault_of(line, !blocks.empty())) return refusal(text, at, fault);
      if (!blocks.empty()) blocks.back().end = end;
      continue;
    }
    for (const YamlBlock& block : blocks) {
      if (block.key == pair->key) return refusal(text, at, "this name is there twice");
    }
    blocks.push_back({pair->key, at, end, end, at + pair->value_begin, at + pair->value_end});
  }
  return blocks;
}

std::optional<std::vector<YamlItem>> read_yaml_items(std::string_view text, const YamlBlock& block) {
  std::vector<YamlItem> items;
  std::size_t inner = 0;  // where an item's own names stand
  for (std::size_t at = block.line_end; at < block.end; at = line_end(text, at)) {
    const std::size_t end = line_end(text, at);
    std::string_view line = text.substr(at, end - at);
    if (is_blank(line) || is_comment(line)) continue;
    const std::size_t indentation = indentation_at(text, at).size();
    line.remove_prefix(indentation);
    if (items.empty() && !is_dash(line)) return std::nullopt;
    std::size_t column = indentation;
    if (items.empty() || indentation <= items.front().indentation) {
      if (!is_dash(line) || (!items.empty() && indentation != items.front().indentation)) return std::nullopt;
      items.push_back({"", at, end, indentation});
      const std::size_t skipped = std::min(line.find_first_not_of(" \t", 1), line.size());
      line.remove_prefix(skipped);
      column = inner = indentation + skipped;
    }
    items.back().end = end;
    if (column != inner) continue;
    const auto pair = read_pair(line);
    if (!pair || pair->key != "name") continue;
    const auto name = read_yaml_scalar(line.substr(pair->value_begin, pair->value_end - pair->value_begin));
    if (name) items.back().name = *name;
  }
  return items;
}

std::string yaml_scalar(std::string_view text) {
  constexpr std::array<std::string_view, 8> k_words{"true", "false", "null", "yes", "no", "on", "off", "nan"};
  constexpr std::string_view k_others = "-_./:@+ ";
  const auto is_alpha = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  bool is_plain = !text.empty() && is_alpha(text.front()) && text.back() != ':' && text.back() != ' ' &&
                  text.find(": ") == std::string_view::npos;
  for (const char c : text) {
    is_plain = is_plain && (std::isalnum(static_cast<unsigned char>(c)) != 0 || k_others.find(c) != k_others.npos);
  }
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  is_plain = is_plain && lower.size() > 1 && std::find(k_words.begin(), k_words.end(), lower) == k_words.end();
  return is_plain ? std::string(text)
                  : nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<std::string> read_yaml_scalar(std::string_view written) {
  if (written.empty()) return std::string();
  if (written.front() == '"') {
    const auto decoded = nlohmann::json::parse(written, nullptr, false);
    if (!decoded.is_string()) return std::nullopt;
    return decoded.get<std::string>();
  }
  if (written.front() == '\'') {
    if (written.size() < 2 || written.back() != '\'') return std::nullopt;
    return std::string(written.substr(1, written.size() - 2));
  }
  constexpr std::string_view k_special = "&*!|>[]{}%@`";
  if (k_special.find(written.front()) != std::string_view::npos) return std::nullopt;
  return std::string(written);
}

}  // namespace nemo::cli::editors
