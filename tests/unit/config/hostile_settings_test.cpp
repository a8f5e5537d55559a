#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "daemon/config/edit_settings.h"
#include "daemon/config/parse_settings.h"
#include "tests/unit/config/sample_settings.h"

namespace nemo::test::hostile_settings_test {

using namespace nemo::config;

namespace {

// The same texts on every run: the generator's sequence is fixed by the standard.
class Mutator {
 public:
  std::string mutated(std::string text) {
    const std::size_t changes = 1 + below(3);
    for (std::size_t i = 0; i < changes; ++i) change(text);
    return text;
  }

 private:
  std::size_t below(std::size_t end) { return end == 0 ? 0 : m_random() % end; }

  void change(std::string& text) {
    static const std::vector<std::string> k_pieces{"[",
                                                   "]",
                                                   "[[",
                                                   "]]",
                                                   "{",
                                                   "}",
                                                   "\"",
                                                   "'",
                                                   "\"\"\"",
                                                   "'''",
                                                   "=",
                                                   ".",
                                                   ",",
                                                   "#",
                                                   "\n",
                                                   "\r",
                                                   "\\",
                                                   "\\u0000",
                                                   "\\uD800",
                                                   "-1",
                                                   "1e999",
                                                   "0x",
                                                   "1979-05-27",
                                                   "true",
                                                   "nan",
                                                   "9223372036854775808",
                                                   "\xff",
                                                   "\xc3",
                                                   "\xEF\xBB\xBF",
                                                   "model",
                                                   "lane.",
                                                   "[lane.completion]\n",
                                                   "upstream = ",
                                                   "{ input = \"1\" }",
                                                   std::string(1, '\0')};
    const std::size_t at = below(text.size() + 1);
    switch (below(6)) {
      case 0:
        text.erase(at, 1 + below(20));
        break;
      case 1:
        text.insert(at, k_pieces[below(k_pieces.size())]);
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), 1 + below(80)));
        break;
      case 4: {
        // A whole line goes, or comes twice: many of these files are still good.
        const std::size_t start = text.rfind('\n', at) + 1;
        const std::size_t length = text.find('\n', start) - start;
        if (below(2) == 0) {
          text.erase(start, length);
        } else {
          text.insert(start, "# " + text.substr(start, length) + "\n");
        }
        break;
      }
      default:
        text.resize(at);
        break;
    }
  }

  std::mt19937_64 m_random{20261122};
};

}  // namespace

TEST_CASE("no mutation of a valid file does more than be read or be refused with a place") {
  Mutator mutator;
  int read = 0;
  int refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    const std::string text = mutator.mutated(std::string(i % 2 == 0 ? k_sample : k_providers_sample));
    const auto settings = parse_settings(text, "nemo.toml");
    if (settings) {
      ++read;
      // What was understood can be shown and is understood again.
      const std::string shown = to_toml(*settings);
      const auto again = parse_settings(shown, "nemo.toml");
      REQUIRE_MESSAGE(again.ok(), again.error().message);
      CHECK(to_toml(*again) == shown);
    } else {
      ++refused;
      CHECK_MESSAGE(settings.error().message.starts_with("nemo.toml:"), settings.error().message);
    }
  }
  // Both happen often, or this test would prove nothing.
  CHECK(read > 200);
  CHECK(refused > 200);
}

TEST_CASE("an edit of a mutated file sets the model or is refused, and changes nothing else") {
  Mutator mutator;
  int edited = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::string text = mutator.mutated(std::string(k_sample));
    const auto result = with_lane_model(text, "completion", "codestral-2501");
    if (!result) continue;
    ++edited;
    auto before = parse_settings(text, "nemo.toml");
    const auto after = parse_settings(*result, "nemo.toml");
    REQUIRE(before.ok());
    REQUIRE(after.ok());
    CHECK(after->lanes.at("completion").model == "codestral-2501");
    before->lanes.at("completion").model = "codestral-2501";
    CHECK(to_toml(*before) == to_toml(*after));
  }
  CHECK(edited > 50);
}

}  // namespace nemo::test::hostile_settings_test
