#include "cli/commands/choose_key.h"

#include <string_view>

namespace nemo::cli::commands {
namespace {

constexpr std::string_view k_dots = "…";
constexpr std::string_view k_id_start = "key_";

std::string_view without_dots(std::string_view hint) {
  return hint.substr(0, k_dots.size()) == k_dots ? hint.substr(k_dots.size()) : hint;
}

bool is_meant(const admin::Key& key, const std::string& text) {
  const bool id_begins = text.size() > k_id_start.size() && key.id.compare(0, text.size(), text) == 0;
  return id_begins || without_dots(key.hint) == without_dots(text);
}

}  // namespace

Result<admin::Key> choose_key(const std::vector<admin::Key>& keys, const std::string& text) {
  std::vector<const admin::Key*> meant;
  std::string names;
  for (const admin::Key& key : keys) {
    if (key.id == text) return key;
    if (!is_meant(key, text)) continue;
    meant.push_back(&key);
    names += (names.empty() ? "" : ", ") + key.id + " (" + key.seat + ", " + key.state + ")";
  }
  if (meant.empty()) return fail(ErrorKind::not_found, "no key is \"" + text + "\"; see: nemo keys list");
  if (meant.size() > 1) {
    return fail(ErrorKind::conflict, "\"" + text + "\" may be any of " + names + "; give the id");
  }
  return *meant.front();
}

}  // namespace nemo::cli::commands
