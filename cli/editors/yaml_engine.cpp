#include "cli/editors/yaml_engine.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/editors/text_layout.h"
#include "cli/editors/yaml_blocks.h"

namespace nemo::cli::editors {
namespace {

using admin::Json;

constexpr std::string_view k_empty_list = "[]";

struct Spot {
  std::vector<YamlBlock> blocks;
  const YamlBlock* block = nullptr;
  std::vector<YamlItem> items;  // when an item is meant
  const YamlItem* item = nullptr;
};

std::string_view value_of(std::string_view text, const YamlBlock& block) {
  return text.substr(block.value_begin, block.value_end - block.value_begin);
}

Error odd_shape(std::string_view text, std::size_t at, const std::string& key) {
  return fail(ErrorKind::invalid_config, "line " + std::to_string(line_at(text, at)) + ": \"" + key +
                                             "\" is written in a shape that is not understood here");
}

// Every editable shape, or why not.
Status check_shape(std::string_view text, const Path& path, Spot& spot) {
  const YamlBlock& block = *spot.block;
  if (path.size() == 1) {
    const bool is_one_line = block.end == block.line_end && read_yaml_scalar(value_of(text, block));
    if (!is_one_line) return odd_shape(text, block.begin, block.key);
    return Done{};
  }
  const std::string_view value = value_of(text, block);
  if (!value.empty() && (value != k_empty_list || block.end != block.line_end)) {
    return odd_shape(text, block.begin, block.key);
  }
  auto items = read_yaml_items(text, block);
  if (!items) return odd_shape(text, block.begin, block.key);
  spot.items = std::move(*items);
  const auto found = std::find_if(spot.items.begin(), spot.items.end(),
                                  [&path](const YamlItem& item) { return item.name == path[1]; });
  spot.item = found == spot.items.end() ? nullptr : &*found;
  return Done{};
}

Status locate(std::string_view text, const Path& path, Spot& spot) {
  if (path.empty() || path.size() > 2) return fail(ErrorKind::internal, "no such place in YAML");
  auto blocks = read_yaml_blocks(text);
  if (!blocks) return blocks.error();
  spot.blocks = std::move(blocks).value();
  for (const YamlBlock& block : spot.blocks) {
    if (block.key == path[0]) spot.block = &block;
  }
  return spot.block == nullptr ? Status(Done{}) : check_shape(text, path, spot);
}

Result<std::optional<std::string>> find(std::string_view text, const Path& path) {
  Spot spot;
  if (const auto located = locate(text, path, spot); !located) return located.error();
  if (spot.block == nullptr) return std::optional<std::string>();
  if (path.size() == 1) return std::optional<std::string>(value_of(text, *spot.block));
  if (spot.item == nullptr) return std::optional<std::string>();
  return std::optional<std::string>(text.substr(spot.item->begin, spot.item->end - spot.item->begin));
}

Result<std::size_t> depth(std::string_view text, const Path& path) {
  Spot spot;
  if (const auto located = locate(text, path, spot); !located) return located.error();
  return std::size_t{spot.block == nullptr ? 0U : 1U} + (spot.item == nullptr ? 0U : 1U);
}

std::string scalar_of(const Json& value) {
  return value.is_string() ? yaml_scalar(value.get<std::string>()) : value.dump();
}

// An item with its name first. Values are scalars or lists of scalars.
std::string item_of(const std::string& name, const Json& value, std::size_t indentation, std::string_view newline) {
  const std::string margin(indentation, ' ');
  std::string out = margin + "- name: " + yaml_scalar(name) + "\n";
  for (const auto& [key, member] : value.items()) {
    out.append(margin).append("  ").append(key).append(":");
    if (!member.is_array()) {
      out += " " + scalar_of(member) + "\n";
      continue;
    }
    out += "\n";
    for (const Json& each : member) out += margin + "    - " + scalar_of(each) + "\n";
  }
  return with_newlines(out, newline);
}

std::string put_item(std::string_view text, const Spot& spot, const Path& path, const Json& value) {
  constexpr std::size_t k_usual = 2;
  const std::string newline = newline_of(text);
  if (spot.block == nullptr) {
    const std::string body = path[0] + ":" + newline + item_of(path[1], value, k_usual, newline);
    return with_last_line(text, body.substr(0, body.size() - newline.size()));
  }
  const std::size_t indentation = spot.items.empty() ? k_usual : spot.items.front().indentation;
  std::string body = item_of(path[1], value, indentation, newline);
  const std::size_t begin = spot.item != nullptr ? spot.item->begin : spot.block->end;
  const std::size_t end = spot.item != nullptr ? spot.item->end : spot.block->end;
  if (end == text.size() && text.back() != '\n') {
    body.erase(body.size() - newline.size());
    if (spot.item == nullptr) body.insert(0, newline);
  }
  if (spot.block->value_begin == spot.block->value_end) return spliced(text, {{begin, end, body}});
  return spliced(text, {{spot.block->value_begin - 1, spot.block->value_end, ""}, {begin, end, body}});
}

// Every other name at the margin still has its lines.
Result<std::string> checked(std::string_view before, const Spot& spot, std::string edited, const Path& path) {
  const auto written = find(edited, path);
  const auto blocks = read_yaml_blocks(edited);
  if (!written || !*written || !blocks) return odd_shape(before, 0, path[0]);
  for (const YamlBlock& block : spot.blocks) {
    if (block.key == path[0]) continue;
    const auto same =
        std::find_if(blocks->begin(), blocks->end(), [&](const YamlBlock& b) { return b.key == block.key; });
    const std::string_view old_text = before.substr(block.begin, block.end - block.begin);
    const bool holds =
        same != blocks->end() && std::string_view(edited).substr(same->begin, old_text.size()) == old_text;
    if (!holds) return odd_shape(before, block.begin, path[0]);
  }
  return edited;
}

Result<std::string> put(std::string_view text, const Path& path, const Json& value) {
  Spot spot;
  if (const auto located = locate(text, path, spot); !located) return located.error();
  if (path.size() == 2) return checked(text, spot, put_item(text, spot, path, value), path);
  const std::string scalar = scalar_of(value);
  if (spot.block == nullptr) return checked(text, spot, with_last_line(text, path[0] + ": " + scalar), path);
  const YamlBlock& block = *spot.block;
  const bool is_same = value.is_string() && block.value_begin < block.value_end &&
                       read_yaml_scalar(value_of(text, block)) == value.get<std::string>();
  if (is_same) return std::string(text);
  const std::string blank = block.value_begin == block.value_end ? " " : "";
  return checked(text, spot, spliced(text, {{block.value_begin, block.value_end, blank + scalar}}), path);
}

Result<std::string> put_back(std::string_view text, const Path& path, std::string_view written) {
  Spot spot;
  if (const auto located = locate(text, path, spot); !located) return located.error();
  const bool is_block = path.size() == 1;
  if (is_block ? spot.block == nullptr : spot.item == nullptr) {
    return fail(ErrorKind::not_found, "the setting is not there any more");
  }
  std::size_t begin = is_block ? spot.block->value_begin : spot.item->begin;
  if (written.empty() && begin > 0 && text[begin - 1] == ' ') --begin;  // put() made it for a value where none was
  const std::size_t end = is_block ? spot.block->value_end : spot.item->end;
  return checked(text, spot, spliced(text, {{begin, end, std::string(written)}}), path);
}

Result<std::string> take_out(std::string_view text, const Path& path, std::size_t kept) {
  Spot spot;
  if (const auto located = locate(text, path, spot); !located) return located.error();
  if (spot.block == nullptr || (path.size() == 2 && spot.item == nullptr)) return std::string(text);
  const bool is_whole = path.size() == 1 || (kept == 0 && spot.items.size() == 1);
  if (is_whole) return without_lines(text, spot.block->begin, spot.block->end);
  if (spot.items.size() > 1) return without_lines(text, spot.item->begin, spot.item->end);
  // A list without items must say that it is one.
  std::string edited = without_lines(text, spot.item->begin, spot.item->end);
  edited.insert(spot.block->value_begin, " " + std::string(k_empty_list));
  return edited;
}

}  // namespace

const FormatEngine k_yaml_engine{find, depth, put, put_back, take_out};

}  // namespace nemo::cli::editors
