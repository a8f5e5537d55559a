// However an upstream's answer is split, it reads the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/upstream/local/answer_reader.h"
#include "tests/fuzz/require.h"

using nemo::upstream::local::AnswerReader;
using nemo::upstream::local::Flaw;

namespace {

struct Told {
  Flaw flaw = Flaw::none;
  bool has_head = false;
  bool is_whole = false;
  std::string text;
  bool operator==(const Told&) const = default;
};

Told read(std::string_view answer, std::size_t step) {
  AnswerReader reader;
  Told told;
  while (!answer.empty() && told.flaw == Flaw::none) {
    told.flaw = reader.read(answer.substr(0, step), told.text);
    answer.remove_prefix(std::min(step, answer.size()));
  }
  told.has_head = reader.has_head();
  told.is_whole = reader.is_whole();
  if (told.has_head) {
    told.text.append(std::to_string(reader.head().status));
    for (const auto& header : reader.head().headers) told.text.append(header.name).append(header.value);
  }
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t step = data[0] % 16 + 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Told whole = read(text, size);
  const Told split = read(text, step);
  REQUIRE_RULE(whole.flaw == split.flaw);
  // What a packed body held before its flaw may differ: zlib tells of it as soon as it sees it.
  if (whole.flaw == Flaw::none) REQUIRE_RULE(whole == split);
  return 0;
}
