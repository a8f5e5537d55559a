// Lists and traces as the JSON text that rests in a column. Bytes that are no UTF-8 become U+FFFD.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/call/call_record.h"

namespace nemo::store {

std::string to_json(const std::vector<std::string>& texts);
std::vector<std::string> texts_from_json(std::string_view json);  // broken JSON: empty

std::string to_json(const call::Trace& trace);  // empty text for an empty trace
call::Trace trace_from_json(std::string_view json);

}  // namespace nemo::store
