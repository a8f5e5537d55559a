// The sentinels of each family, one row each.
// Sources: model cards of Qwen2.5-Coder, CodeGemma, Granite, StarCoder2, CodeLlama, DeepSeek-Coder, Codestral,
// Seed-Coder, GLM-4 and CodeGeeX4.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/call/fim_form.h"

namespace nemo::protocol {

enum class FimOrder : std::uint8_t { prefix_first, suffix_first };

// How other files stand before the hole.
enum class FimFiles : std::uint8_t {
  untold,      // no marks of its own: as headed text in the prefix, which cannot be told from it again
  with_paths,  // mark, path, line end, content, line end; the last mark and path are the file's with the hole
  bare,        // mark, content; a mark at the end
  headed,      // "+++++ path" lines in the prefix
  referenced,  // CodeGeeX's ###REFERENCE blocks
};

struct FimFamily {
  call::FimForm form;
  FimOrder order;
  std::string_view head;  // before everything
  std::string_view before_prefix;
  std::string_view before_suffix;
  std::string_view before_middle;
  std::string_view tail;  // after the last mark
  FimFiles files;
  std::string_view before_file = {};
  std::string_view before_repo = {};
  std::array<std::string_view, 10> stops = {};  // up to the first that is empty
};

std::span<const FimFamily> fim_families();  // those that are told apart by their marks come in the order of trying
const FimFamily* find_fim_family(call::FimForm form);

inline constexpr std::string_view k_file_heading = "+++++ ";

}  // namespace nemo::protocol
