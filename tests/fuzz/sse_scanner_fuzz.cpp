// However a stream is split, its events are the same and its bytes are all there.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/stream/sse_scanner.h"
#include "tests/fuzz/require.h"

using nemo::stream::SseScanner;

namespace {

std::vector<std::string> scan(std::string_view text, std::size_t step) {
  SseScanner scanner;
  std::vector<std::string> seen;
  const auto add = [&seen](const nemo::stream::SseEvent& event) {
    seen.emplace_back(event.raw);
    seen.emplace_back(event.event);
    seen.emplace_back(event.data);
  };
  while (!text.empty()) {
    scanner.feed(text.substr(0, step));
    text.remove_prefix(std::min(step, text.size()));
    while (const auto event = scanner.next()) add(*event);
  }
  while (const auto event = scanner.finish()) add(*event);
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t step = data[0] % 16 + 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = scan(text, size);
  std::string joined;
  for (std::size_t i = 0; i < whole.size(); i += 3) joined += whole[i];
  REQUIRE_RULE(joined == text);
  REQUIRE_RULE(scan(text, step) == whole);
  return 0;
}
