#include "tests/eval_fim/holes.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string_view>

namespace nemo::eval {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_least_file = 600;
constexpr std::size_t k_longest_prefix = 6'000;  // as editors cut it
constexpr std::size_t k_longest_suffix = 2'500;
constexpr std::size_t k_longest_middle = 500;

bool holds_marks(std::string_view text) {
  constexpr std::array<std::string_view, 17> k_marks{
      "fim_",     "fim-",    "fim▁",     "<PRE>",    "<SUF>",  "<MID>",  "[PREFIX]",   "[SUFFIX]",     "<|code_",
      "FILL_HER", "<QUERY>", "<prefix>", "</prefix", "+++++ ", "<|file", "<file_sep>", "<|endoftext|>"};
  return std::any_of(k_marks.begin(), k_marks.end(),
                     [text](std::string_view mark) { return text.find(mark) != std::string_view::npos; });
}

std::vector<std::pair<std::string, std::string>> sources(const fs::path& repository) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const char* folder : {"cli", "daemon", "shared"}) {
    for (const auto& entry : fs::recursive_directory_iterator(repository / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".h") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::string text{std::istreambuf_iterator<char>(in), {}};
      if (text.size() < k_least_file || holds_marks(text)) continue;
      files.emplace_back(fs::relative(entry.path(), repository).string(), std::move(text));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::size_t character_begin(const std::string& text, std::size_t at) {
  while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) --at;
  return at;
}

std::size_t line_end(const std::string& text, std::size_t at) {
  return std::min(text.find('\n', at), text.size());
}

std::size_t end_of_hole(const std::string& text, std::size_t begin, std::mt19937& random) {
  const std::size_t first_line = line_end(text, begin);
  switch (random() % 3) {
    case 0:  // within the line
      return begin + 1 + random() % (first_line - begin + 1);
    case 1:
      return first_line;
    default: {
      std::size_t end = first_line;
      for (std::size_t lines = 1 + random() % 6; lines > 0 && end < text.size(); --lines) end = line_end(text, end + 1);
      return end;
    }
  }
}

}  // namespace

std::vector<Hole> cut_holes(const fs::path& repository, std::size_t count, std::uint32_t seed) {
  const auto files = sources(repository);
  if (files.empty()) throw std::runtime_error("no sources under " + repository.string());
  std::mt19937 random(seed);
  std::vector<Hole> holes;
  while (holes.size() < count) {
    const auto& [name, text] = files[random() % files.size()];
    const std::size_t begin = character_begin(text, random() % text.size());
    const std::size_t end = character_begin(text, std::min(end_of_hole(text, begin, random), text.size()));
    if (end <= begin || end - begin > k_longest_middle) continue;
    const std::string middle = text.substr(begin, end - begin);
    if (middle.find_first_not_of(" \t\n") == std::string::npos) continue;
    const std::size_t from = character_begin(text, begin > k_longest_prefix ? begin - k_longest_prefix : 0);
    const std::size_t to = character_begin(text, std::min(end + k_longest_suffix, text.size()));
    holes.push_back({name, text.substr(from, begin - from), middle, text.substr(end, to - end)});
  }
  return holes;
}

}  // namespace nemo::eval
