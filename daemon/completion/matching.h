// When two completion requests are about the same text. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "daemon/completion/asked.h"

namespace nemo::completion {

// Two windows on one text of which one was cut are taken for the same only if they have this much in common: less may
// be a licence or a list of imports that many files share.
inline constexpr std::size_t k_least_overlap = 512;
// The same behind the cursor. The text before it must agree as well, so that less will do.
inline constexpr std::size_t k_least_suffix_overlap = 256;
// What an editor inserts by itself behind the cursor is a bracket or two with their white space.
inline constexpr std::size_t k_longest_insertion = 64;

// How many bytes are the same in both from their first on.
std::size_t common_beginning(std::string_view one, std::string_view other);

enum class Agreement : std::uint8_t { none, cut, whole };

// Text before a cursor, whose beginning a client may have cut: equal, or one is the end of the other and at least
// k_least_overlap long.
Agreement prefixes_agree(std::string_view one, std::string_view other);
// Text behind a cursor, whose end a client may have cut.
bool suffixes_agree(std::string_view one, std::string_view other);
// The same but for at most k_longest_insertion bytes at the beginning of one of them.
bool suffixes_nearly_agree(std::string_view one, std::string_view other);

// How much of the end of `rest` stands behind the cursor by now, because the editor has closed what was opened: the
// least n for which `newer` is those n bytes and then `older`, as suffixes_agree() has it. Taking `rest` without them
// then makes the very text that the whole answer would have made. nullopt: the suffixes differ in another way.
std::optional<std::size_t> find_insertion(std::string_view older, std::string_view newer, std::string_view rest);

// What lies between two requests for the same place of the same file: their prefixes have a beginning in common (where
// the one with less of it begins, for windows move), the older one's lost at most k_most_taken_back bytes of its end,
// a quarter of it at most, the newer one's gained at most k_most_added, and but for k_longest_insertion bytes at
// their beginning their suffixes agree. Without a byte in common nothing is known to be the same. Nor is it when
// something was taken back and one of the two says nothing of what stands behind the cursor: programs that are no
// editors ask many questions at once that differ in their last words only.
inline constexpr std::size_t k_most_taken_back = 32;  // a word: more is an edit of its own, or another file
inline constexpr std::size_t k_most_added = 2'048;    // a suggestion that was accepted
struct Step {
  std::size_t taken_back = 0;  // bytes of the older prefix that are gone
  std::string_view typed;      // what stands in their place, a view into the newer prefix
  bool is_identical = false;   // the texts are equal
};
std::optional<Step> find_step(const Asked& older, const Asked& newer);

}  // namespace nemo::completion
