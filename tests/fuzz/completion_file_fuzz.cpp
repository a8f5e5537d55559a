// The file of remembered completions: any bytes are read without harm, and what is read can be written and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/store/completion_format.h"
#include "require.h"

using namespace nemo::store;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_records(bytes);
  const auto records = read_records(std::string(k_completions_magic) + std::string(bytes));
  std::string again(k_completions_magic);
  for (const auto& record : records) append_record(record, again);
  REQUIRE_RULE(read_records(again).size() == records.size());
  return 0;
}
