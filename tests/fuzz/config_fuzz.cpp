// Any bytes as nemo.toml: they are read or refused; what is read can be shown and read again; an edit of a lane's model
// sets it or is refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "daemon/config/edit_settings.h"
#include "daemon/config/parse_settings.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nemo::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto settings = parse_settings(text, "nemo.toml");
  // With no file to be found it is refused for that, or the same.
  const auto without_files = parse_settings(text, "nemo.toml", [](const std::string&) { return false; });
  must(settings.ok() || !without_files.ok());
  if (!settings) return 0;
  must(!without_files.ok() || to_toml(*without_files) == to_toml(*settings));

  const std::string shown = to_toml(*settings);
  const auto again = parse_settings(shown, "nemo.toml");
  must(again.ok() && to_toml(*again) == shown);

  const auto edited = with_lane_model(text, "completion", "codestral-2501");
  if (!edited) return 0;
  const auto reread = parse_settings(*edited, "nemo.toml");
  must(reread.ok() && reread->lanes.at("completion").model == "codestral-2501");
  return 0;
}
