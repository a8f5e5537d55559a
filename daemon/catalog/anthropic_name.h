// What Anthropic itself calls a model that the catalog has under its Vertex id.
// Sources: Anthropic API reference (models); Vertex AI's Claude model ids ("name@version").
#pragma once

#include <string>
#include <string_view>

namespace nemo::catalog {

inline constexpr std::string_view k_anthropic = "anthropic";  // as a publisher

// "claude-sonnet-4-5@20250929" -> "claude-sonnet-4-5-20250929"; "claude-sonnet-4-6@default" -> "claude-sonnet-4-6".
// An id without a version stays as it is.
std::string anthropic_name(std::string_view catalog_id);

}  // namespace nemo::catalog
