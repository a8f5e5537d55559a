// Text as a part of a URL or of a form (RFC 3986, section 2.1).
#pragma once

#include <string>
#include <string_view>

namespace nemo::upstream::google {

// Everything but letters, digits, "-._~" and what `kept` names becomes %XX.
std::string percent_encoded(std::string_view text, std::string_view kept = {});

}  // namespace nemo::upstream::google
