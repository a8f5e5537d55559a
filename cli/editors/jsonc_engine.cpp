#include "cli/editors/jsonc_engine.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/editors/jsonc_tree.h"
#include "cli/editors/text_layout.h"

namespace nemo::cli::editors {
namespace {

using admin::Json;

// As far as the path leads.
struct Walk {
  std::vector<const JsoncValue*> values;    // the root first, then one for each name that is there
  std::vector<const JsoncMember*> members;  // one for each name that is there
};

Result<Walk> walk(const JsoncValue& root, std::string_view text, const Path& path) {
  Walk walk{{&root}, {}};
  for (const std::string& name : path) {
    const JsoncValue& at = *walk.values.back();
    if (at.kind != JsoncValue::Kind::object) {
      return fail(ErrorKind::invalid_config, "line " + std::to_string(line_at(text, at.begin)) +
                                                 ": an object {…} is expected here, to hold \"" + name + "\"");
    }
    const JsoncMember* member = at.find(name);
    if (member == nullptr) break;
    walk.members.push_back(member);
    walk.values.push_back(&member->value);
  }
  return walk;
}

bool has_newline(std::string_view text, std::size_t begin, std::size_t end) {
  return text.substr(begin, end - begin).find('\n') != std::string_view::npos;
}

bool begins_line(std::string_view text, std::size_t position) {
  return text.substr(line_begin(text, position), position - line_begin(text, position)).find_first_not_of(" \t") ==
         std::string_view::npos;
}

// What one step of nesting is indented by: as the first member is, when it has a line of its own.
std::string indentation_unit(std::string_view text, const JsoncValue* root) {
  if (root != nullptr && !root->members.empty() && begins_line(text, root->members.front().begin)) {
    const auto blanks = indentation_at(text, root->members.front().begin);
    if (!blanks.empty()) return std::string(blanks);
  }
  return "  ";
}

std::string rendered(const Json& value, std::string_view unit, std::string_view indentation, std::string_view newline) {
  const std::string plain = value.dump(1, '\t');
  std::string out;
  for (std::size_t at = 0; at < plain.size(); ++at) {
    if (plain[at] != '\n') {
      out.push_back(plain[at]);
      continue;
    }
    out.append(newline).append(indentation);
    for (; at + 1 < plain.size() && plain[at + 1] == '\t'; ++at) out.append(unit);
  }
  return out;
}

// The value inside an object for each name that is missing yet.
Json nested(const Path& path, std::size_t from, const Json& value) {
  Json made = value;
  for (std::size_t i = path.size(); i > from; --i) made = Json{{path[i - 1], std::move(made)}};
  return made;
}

struct Layout {
  std::string unit;
  std::string newline;
};

std::string insert_first(std::string_view text, const JsoncValue& object, const Json& members, const Layout& layout) {
  const std::string outer(indentation_at(text, object.begin));
  std::string body = rendered(members, layout.unit, outer, layout.newline);
  body = body.substr(1, body.size() - 2 - layout.newline.size() - outer.size());  // without "{" and what ends it
  const bool closes_on_own_line = has_newline(text, object.tail, object.end);
  if (!closes_on_own_line) body += layout.newline + outer;
  return spliced(text, {{object.tail, object.tail, body}});
}

std::string insert_last(std::string_view text, const JsoncValue& object, const Json& member, const Layout& layout) {
  const JsoncMember& last = object.members.back();
  const std::string name = Json(member.begin().key()).dump() + ": ";
  const std::string_view own_comma = last.comma ? "," : "";
  if (!has_newline(text, object.begin, last.begin)) {
    const std::size_t at = last.comma ? *last.comma + 1 : last.value.end;
    std::string body = (last.comma ? " " : ", ") + name + member.begin()->dump();
    return spliced(text, {{at, at, body.append(own_comma)}});
  }
  const std::string inner(indentation_at(text, last.begin));
  std::string body = layout.newline + inner + name;
  body.append(rendered(*member.begin(), layout.unit, inner, layout.newline)).append(own_comma);
  if (last.comma) return spliced(text, {{object.tail, object.tail, body}});
  return spliced(text, {{last.value.end, last.value.end, ","}, {object.tail, object.tail, body}});
}

Result<std::optional<std::string>> find(std::string_view text, const Path& path) {
  const auto root = read_jsonc(text);
  if (!root) return root.error();
  if (!*root) return std::optional<std::string>();
  const auto way = walk(**root, text, path);
  if (!way) return way.error();
  if (way->members.size() < path.size()) return std::optional<std::string>();
  const JsoncValue& value = *way->values.back();
  return std::optional<std::string>(text.substr(value.begin, value.end - value.begin));
}

Result<std::size_t> depth(std::string_view text, const Path& path) {
  const auto root = read_jsonc(text);
  if (!root) return root.error();
  if (!*root) return std::size_t{0};
  const auto way = walk(**root, text, path);
  if (!way) return way.error();
  return way->members.size();
}

bool is_same(std::string_view written, const Json& value) {
  const Json read = Json::parse(written, nullptr, false, true);
  return !read.is_discarded() && read == value;
}

// Written once more: an edit that would not read back is refused.
Result<std::string> checked(std::string edited, const Path& path, const Json& value) {
  const auto written = find(edited, path);
  if (!written) return written.error();
  if (*written && is_same(**written, value)) return edited;
  return fail(ErrorKind::invalid_config, "the settings have a shape that cannot be edited safely");
}

Result<std::string> put(std::string_view text, const Path& path, const Json& value) {
  const auto root = read_jsonc(text);
  if (!root) return root.error();
  const Layout layout{indentation_unit(text, *root ? &**root : nullptr), newline_of(text)};
  if (!*root) {
    const std::string body = rendered(nested(path, 0, value), layout.unit, "", layout.newline);
    const bool is_open = !text.empty() && text.back() != '\n';
    return checked(std::string(text) + (is_open ? layout.newline : "") + body + layout.newline, path, value);
  }
  const auto way = walk(**root, text, path);
  if (!way) return way.error();
  const JsoncValue& at = *way->values.back();
  if (way->members.size() == path.size()) {
    const std::string_view written = text.substr(at.begin, at.end - at.begin);
    if (is_same(written, value)) return std::string(text);
    const std::string indentation(indentation_at(text, way->members.back()->begin));
    return checked(spliced(text, {{at.begin, at.end, rendered(value, layout.unit, indentation, layout.newline)}}), path,
                   value);
  }
  const Json missing = nested(path, way->members.size(), value);
  return checked(at.members.empty() ? insert_first(text, at, missing, layout) : insert_last(text, at, missing, layout),
                 path, value);
}

Result<std::string> put_back(std::string_view text, const Path& path, std::string_view written) {
  const auto root = read_jsonc(text);
  if (!root) return root.error();
  if (!*root) return fail(ErrorKind::not_found, "the setting is not there any more");
  const auto way = walk(**root, text, path);
  if (!way) return way.error();
  if (way->members.size() < path.size()) return fail(ErrorKind::not_found, "the setting is not there any more");
  const JsoncValue& value = *way->values.back();
  std::string edited = spliced(text, {{value.begin, value.end, std::string(written)}});
  if (const auto read = read_jsonc(edited); !read) return read.error();
  return edited;
}

std::string without_member(std::string_view text, const JsoncValue& object, const JsoncMember& member) {
  const bool is_first = &member == &object.members.front();
  const bool is_last = &member == &object.members.back();
  const JsoncMember* previous = is_first ? nullptr : &member - 1;
  std::size_t begin = previous == nullptr ? object.begin + 1 : *previous->comma + 1;
  if (const std::size_t line = line_begin(text, member.begin); begins_line(text, member.begin) && line > begin) {
    begin = line - 1;
    if (begin > 0 && text[begin - 1] == '\r') --begin;
  }
  const std::size_t end = member.comma ? *member.comma + 1 : member.value.end;
  if (!is_last || member.comma || previous == nullptr) return spliced(text, {{begin, end, ""}});
  const std::size_t comma = *previous->comma;
  return spliced(text, {{comma, comma + 1, ""}, {std::max(begin, comma + 1), end, ""}});
}

Result<std::string> take_out(std::string_view text, const Path& path, std::size_t kept) {
  const auto root = read_jsonc(text);
  if (!root) return root.error();
  if (!*root) return std::string(text);
  const auto way = walk(**root, text, path);
  if (!way) return way.error();
  std::size_t level = path.size();
  if (way->members.size() < level || level == 0) return std::string(text);
  while (level > kept + 1 && way->values[level - 1]->members.size() == 1) --level;
  std::string edited = without_member(text, *way->values[level - 1], *way->members[level - 1]);
  if (const auto read = read_jsonc(edited); !read) return read.error();
  return edited;
}

}  // namespace

const FormatEngine k_jsonc_engine{find, depth, put, put_back, take_out};

}  // namespace nemo::cli::editors
