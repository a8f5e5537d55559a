// The bytes of the file that remembered completions rest in. Read by the version that wrote them, or dropped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/completion/memory_store.h"

namespace nemo::store {

// A file begins with it; one that begins otherwise holds nothing.
inline constexpr std::string_view k_completions_magic = "nemo completions 1\n";

// One record: its size and a checksum, each four bytes, then its fields.
void append_record(const completion::Remembered& remembered, std::string& bytes);

// Every whole record up to the first that is torn or damaged, in the order in which they were written.
std::vector<completion::Remembered> read_records(std::string_view file);

}  // namespace nemo::store
