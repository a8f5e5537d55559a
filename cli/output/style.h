// Colour, for those who can see it.
#pragma once

#include <string>
#include <string_view>

namespace nemo::cli::output {

enum class Colours { off, on };

enum class Style { plain, strong, faint, good, bad, warning, accent };

// `text` between the codes of `style`; unchanged when colours are off or the style is plain.
std::string styled(std::string_view text, Style style, Colours colours);

}  // namespace nemo::cli::output
