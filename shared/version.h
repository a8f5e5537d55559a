// The version of both programs, from shared/VERSION.
#pragma once

#include <string_view>

namespace nemo {

std::string_view version();

}  // namespace nemo
