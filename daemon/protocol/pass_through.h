// Upstream and client speak the same dialect: bytes pass as they come.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "daemon/stream/translator.h"

namespace nemo::protocol {

// What a stream needs that its upstream did not end, or not well.
struct StreamEnding {
  std::string_view last_event;  // "data: [DONE]\n\n"; empty: the dialect's own last event cannot be made up here
  std::string (*error_event)(const Error& error);  // as whole bytes, its blank line included
};

std::unique_ptr<stream::Translator> make_pass_through(const StreamEnding& ending);

}  // namespace nemo::protocol
