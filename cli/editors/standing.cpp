// Where clients point, as their settings say.
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "cli/editors/format_engine.h"
#include "cli/editors/settings_edit.h"
#include "cli/editors/settings_file.h"

namespace nemo::cli::editors {
namespace {

namespace fs = std::filesystem;

constexpr int k_most_files = 400;                                // of a person's configuration that are looked into
constexpr int k_deepest_folder = 6;                              //
constexpr std::size_t k_longest_source = std::size_t{1} << 18U;  // a longer file was not written by hand

// "127.0.0.1:6366" of the first URL in the text; this machine's other names count as that one.
std::string find_authority(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::size_t at = scheme + 3;
  const std::size_t bracket =
      at < text.size() && text[at] == '[' ? std::min(text.find(']', at), text.size() - 1) + 1 : at;
  const std::size_t end = std::min(text.find_first_of("/\"'` \t\r\n,;)}]\\", bracket), text.size());
  std::string authority(text.substr(at, end - at));
  for (const std::string_view other : {"localhost:", "[::1]:", "0.0.0.0:"}) {
    if (authority.rfind(other, 0) == 0) authority.replace(0, other.size(), "127.0.0.1:");
  }
  return authority;
}

bool is_about(const std::string& text, const Client& client) {
  return client.mark.empty() || text.find(client.mark) != std::string::npos;
}

bool holds_address(const std::string& text, std::string_view daemon_url) {
  const std::string wanted = find_authority(daemon_url);
  const std::size_t colon = wanted.rfind(':');
  if (text.find(wanted) != std::string::npos) return true;
  return wanted.rfind("127.0.0.1:", 0) == 0 && text.find("localhost" + wanted.substr(colon)) != std::string::npos;
}

bool points_here(const fs::path& file, const Client& client, std::string_view daemon_url) {
  const auto loaded = load_settings(file);
  return loaded && loaded->text.size() <= k_longest_source && is_about(loaded->text, client) &&
         holds_address(loaded->text, daemon_url);
}

bool any_points_here(const fs::path& source, const Client& client, std::string_view daemon_url) {
  std::error_code error;
  if (!fs::is_directory(source, error)) return fs::exists(source, error) && points_here(source, client, daemon_url);
  int looked = 0;
  for (fs::recursive_directory_iterator it(source, fs::directory_options::skip_permission_denied, error), end;
       !error && it != end && looked < k_most_files; it.increment(error)) {
    if (it.depth() >= k_deepest_folder) it.disable_recursion_pending();
    std::error_code ignored;
    if (!it->is_regular_file(ignored)) continue;
    ++looked;
    if (points_here(it->path(), client, daemon_url)) return true;
  }
  return false;
}

}  // namespace

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::here:
      return "yes";
    case Standing::nowhere:
      return "no";
    case Standing::elsewhere:
      return "elsewhere";
    case Standing::unknown:
      break;
  }
  return "unknown";
}

Standing standing_of_url(std::string_view text, std::string_view daemon_url) {
  const std::string authority = find_authority(text);
  if (authority.empty()) return Standing::nowhere;
  return authority == find_authority(daemon_url) ? Standing::here : Standing::elsewhere;
}

Result<Standing> standing_of(std::string_view text, const FileEdit& edit, std::string_view daemon_url) {
  if (text.empty()) return Standing::nowhere;
  const FormatEngine& engine = engine_of(edit.format);
  if (!edit.chosen.empty()) {
    const auto written = engine.find(text, edit.chosen);
    if (!written) return written.error();
    if (!*written) return Standing::nowhere;
    const auto wanted = std::find_if(edit.settings.begin(), edit.settings.end(),
                                     [&edit](const Setting& setting) { return setting.path == edit.chosen; });
    const std::string value = wanted == edit.settings.end() ? "" : wanted->value.get<std::string>();
    const bool is_ours = (*written)->find(value) != std::string::npos;
    if (!is_ours) return Standing::elsewhere;
  }
  const auto address = engine.find(text, edit.address);
  if (!address) return address.error();
  return *address ? standing_of_url(**address, daemon_url) : Standing::nowhere;
}

Standing standing_by_sources(const Client& client, const Places& places, std::string_view daemon_url) {
  if (client.variable.empty() && client.sources.empty()) return Standing::unknown;
  if (!client.variable.empty()) {
    const auto value = places.environment()(std::string(client.variable).c_str());
    if (value && !value->empty()) return standing_of_url(*value, daemon_url);
  }
  const bool here = std::any_of(client.sources.begin(), client.sources.end(), [&](std::string_view source) {
    return any_points_here(places.resolve(source), client, daemon_url);
  });
  return here ? Standing::here : Standing::nowhere;
}

}  // namespace nemo::cli::editors
