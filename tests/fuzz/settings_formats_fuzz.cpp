// Any bytes as an editor's settings, in each of the formats: they are edited or refused; what was put in is found,
// twice put in is once put in, what was there before can be put back, and what was not can be taken out.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cli/editors/format_engine.h"
#include "cli/editors/line_diff.h"
#include "tests/fuzz/require.h"

namespace {

using namespace nemo::cli::editors;
using nemo::admin::Json;

void check(Format format, std::string_view text, const Path& path, const Json& value) {
  const FormatEngine& engine = engine_of(format);
  const auto before = engine.find(text, path);
  const auto depth = engine.depth(text, path);
  const auto edited = engine.put(text, path, value);
  if (!edited || !before || !depth) return;
  const auto written = engine.find(*edited, path);
  REQUIRE_RULE(written.ok() && written->has_value());
  const auto again = engine.put(*edited, path, value);
  REQUIRE_RULE(again.ok() && *again == *edited);
  REQUIRE_RULE((*edited == text) == unified_diff(text, *edited, "x").empty());
  if (*before) {
    const auto back = engine.put_back(*edited, path, **before);
    REQUIRE_RULE(!back.ok() || *back == text);
  } else {
    const auto out = engine.take_out(*edited, path, *depth);
    if (!out.ok()) return;
    const auto gone = engine.find(*out, path);
    REQUIRE_RULE(gone.ok() && !gone->has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Json item{{"url", "http://127.0.0.1:6366/v1"}, {"roles", {"chat", "edit"}}};
  check(Format::jsonc, text, {"a"}, "v");
  check(Format::jsonc, text, {"a", "b"}, item);
  check(Format::toml, text, {"a"}, "v");
  check(Format::toml, text, {"a", "b"}, "v");
  check(Format::yaml, text, {"a"}, "v w");
  check(Format::yaml, text, {"a", "Nemo"}, item);
  check(Format::dotenv, text, {"A"}, "v w");
  return 0;
}
