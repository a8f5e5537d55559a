// How alike two names are: what "did you mean …?" is made of. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace nemo {

// Insertions, deletions, replacements and swaps of two neighbours that turn `a` into `b`. Takes a.size() * b.size()
// steps: bound what comes from outside first.
std::size_t edit_distance(std::string_view a, std::string_view b);

// 0: nothing in common worth a suggestion; more: the better match. Looks at misspellings, shared words and names cut
// short; upper and lower case count as the same. Names longer than 128 bytes resemble nothing.
int resemblance(std::string_view asked, std::string_view known);

}  // namespace nemo
