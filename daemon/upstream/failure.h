// What a failed exchange says, in words that tell what to do. Internal to upstream/.
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace nemo::upstream {

// "api.example.com:443" of a URL, for messages.
std::string host_of(std::string_view url);

// "Upstream … could not answer: <advice> (<detail>)." Holds no secret, whatever `detail` does.
Error could_not_answer(std::string_view url, std::string_view advice, std::string_view detail = {},
                       ErrorKind kind = ErrorKind::upstream_error);

}  // namespace nemo::upstream
