// Holes cut from this repository's own sources, the same ones each time for the same sources and seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nemo::eval {

struct Hole {
  std::string file;
  std::string prefix;
  std::string middle;
  std::string suffix;
};

// Spans within a line, rests of lines, and some lines. Left out are files that hold families' own marks: no model that
// is told by marks can be given these as text.
std::vector<Hole> cut_holes(const std::filesystem::path& repository, std::size_t count, std::uint32_t seed);

}  // namespace nemo::eval
