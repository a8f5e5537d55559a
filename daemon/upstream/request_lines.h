// What every request says, whoever sends it. Internal to upstream/.
#pragma once

#include <string>
#include <string_view>

namespace nemo::upstream {

// "nemo/1.2.3"
const std::string& user_agent();

// Whether a header is one line: what a client put into it must not begin another.
bool is_one_line(std::string_view header);

}  // namespace nemo::upstream
