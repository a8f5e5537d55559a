// Chance that makes up texts and JSON with all that is awkward in them: the same seed, the same throws.
#pragma once

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace nemo::test {

class Dice {
 public:
  explicit Dice(unsigned seed) : m_engine(seed) {}
  int roll(int most) { return static_cast<int>(m_engine() % static_cast<unsigned>(most + 1)); }
  bool coin() { return roll(1) == 1; }

  std::string text() {
    static const std::vector<std::string> k_pieces{"a",  "B c", "\n", "\"",   "\\",   "é",   "😀", "\t",
                                                   "{}", "/",   ": ", "\x01", "data", "\\n", "[", "\xE2\x80\xA8"};
    std::string out = "x";  // white space alone is left out by rule
    for (int i = roll(6); i > 0; --i) out += k_pieces[static_cast<std::size_t>(roll(15))];
    return out + ".";
  }
  nlohmann::json object(int depth) {
    nlohmann::json made = nlohmann::json::object();
    for (int i = roll(3); i > 0; --i) made[text()] = value(depth);
    return made;
  }
  nlohmann::json value(int depth) {
    switch (depth == 0 ? roll(3) : roll(5)) {
      case 0:
        return text();
      case 1:
        return roll(1'000'000) - 500'000;
      case 2:
        return nullptr;
      case 3:
        return coin();
      case 4: {
        nlohmann::json list = nlohmann::json::array();
        for (int i = roll(3); i > 0; --i) list.push_back(value(depth - 1));
        return list;
      }
      default:
        return object(depth - 1);
    }
  }
  // Cut between characters, for half a character is no JSON text. Pieces may be empty.
  std::vector<std::string> pieces_of(const std::string& text) {
    std::vector<std::string> pieces(1);
    const int length = text.size() > 10'000 ? 3'000 : 3;  // of a piece, about
    for (const char c : text) {
      const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
      if (!continues && roll(length) == 0) pieces.emplace_back();
      if (!continues && roll(10 * length) == 0) pieces.emplace_back();
      pieces.back().push_back(c);
    }
    return pieces;
  }

 private:
  std::mt19937 m_engine;
};

}  // namespace nemo::test
