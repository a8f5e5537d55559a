#include "daemon/gateway/completion_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "daemon/protocol/fim/fim_prompt.h"
#include "daemon/protocol/json_text.h"

namespace nemo::gateway {
namespace {

// A longer value (other files, a grammar) stands as its length and two hashes.
constexpr std::size_t k_longest_value = 512;

bool says_nothing(std::string_view key) {
  constexpr std::array<std::string_view, 11> k_keys{"prompt",         "suffix",    "model",         "stream",
                                                    "stream_options", "user",      "metadata",      "nemo_cache",
                                                    "nemo_tags",      "nemo_lane", "nemo_fallbacks"};
  return std::find(k_keys.begin(), k_keys.end(), key) != k_keys.end();
}

// FNV-1a.
std::uint64_t hash_of(std::string_view text, std::uint64_t basis) {
  std::uint64_t hash = basis;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return hash;
}

void append_value(std::string_view value, std::string& terms) {
  if (value.size() <= k_longest_value) {
    terms.append(value);
    return;
  }
  terms.append(std::to_string(value.size())).append("#");
  terms.append(std::to_string(hash_of(value, 0xCBF29CE484222325ULL))).append("#");
  terms.append(std::to_string(hash_of(value, 0x84222325CBF29CE4ULL)));
}

std::string terms_of(const protocol::RequestBody& body, const call::CallSpec& spec) {
  std::string terms;
  for (const protocol::Field& field : body.fields()) {
    if (says_nothing(field.key) || field.value == "null") continue;
    terms.append(field.key).append(":");
    append_value(field.value, terms);
    terms.append("\n");
  }
  const auto add = [&](std::string_view name, const std::vector<std::string>& values) {
    for (const std::string& value : values) terms.append(name).append("=").append(value).append("\n");
  };
  add("tag", spec.tags);
  add("fallback", spec.fallbacks);
  return terms.append("lane=").append(spec.lane);
}

// A prompt in which the client has marked the hole by sentinels is taken apart.
void read_marked_hole(CompletionText& text) {
  auto hole = protocol::parse_fim_prompt(text.prefix);
  if (!hole) return;
  const auto add = [&](std::string_view name, std::string_view value) {
    text.terms.append("\n").append(name).append("=");
    append_value(value, text.terms);
  };
  add("family", std::to_string(static_cast<int>(hole->family)));
  add("repo", hole->repo);
  add("path", hole->path);
  add("language", hole->language);
  for (const protocol::FimFile& file : hole->files) {
    add("file", file.path);
    add("content", file.content);
  }
  text.has_hole = true;
  text.prefix = std::move(hole->prefix);
  text.suffix = std::move(hole->suffix);
}

double number_in(const protocol::RequestBody& body, std::string_view key) {
  const protocol::Field* field = body.find(key);
  return field == nullptr ? 0 : std::strtod(std::string(field->value).c_str(), nullptr);
}

bool is_set(const protocol::RequestBody& body, std::string_view key) {
  const protocol::Field* field = body.find(key);
  return field != nullptr && field->value != "null" && field->value != "false";
}

}  // namespace

std::optional<CompletionText> completion_text(const protocol::RequestBody& body, const call::CallSpec& spec) {
  if (spec.max_tokens == 0) return std::nullopt;
  const protocol::Field* prompt = body.find("prompt");
  auto prefix = prompt == nullptr ? std::nullopt : protocol::read_text(prompt->value);
  if (!prefix) return std::nullopt;
  CompletionText text;
  text.prefix = std::move(*prefix);
  if (const protocol::Field* suffix = body.find("suffix")) {
    text.has_hole = suffix->value != "null";
    text.suffix = protocol::read_text(suffix->value).value_or("");
  }
  text.terms = terms_of(body, spec);
  if (text.suffix.empty()) read_marked_hole(text);
  text.may_share = spec.answers == 1 && !is_set(body, "logprobs") && !is_set(body, "echo");
  text.is_steady = number_in(body, "temperature") <= k_steady_temperature;
  return text;
}

}  // namespace nemo::gateway
