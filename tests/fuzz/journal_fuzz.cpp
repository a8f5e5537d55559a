// Any bytes as a journal: read to the first that are no record, and never beyond. What is read can be written, within
// the bound that a journal promises, and read again as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/store/journal_format.h"
#include "tests/fuzz/require.h"

using namespace nemo::store;

namespace {

void check_rewritten(const nemo::call::CallRecord& record) {
  const std::string written = to_journal_bytes(record);
  REQUIRE_RULE(written.size() <= k_longest_journal_record);
  JournalReader reader(written);
  const auto again = reader.next();
  REQUIRE_RULE(again.has_value());
  REQUIRE_RULE(reader.unread() == 0);
  REQUIRE_RULE(to_journal_bytes(*again) == written);
  REQUIRE_RULE(again->cost == record.cost);
  REQUIRE_RULE(again->drawn_from == record.drawn_from);
  REQUIRE_RULE(again->accepted == record.accepted);
  REQUIRE_RULE(again->origin == record.origin);
  REQUIRE_RULE(again->suggested_bytes == record.suggested_bytes);
  REQUIRE_RULE(again->accepted_bytes == record.accepted_bytes);
}

void check_journal(std::string_view bytes) {
  JournalReader reader(bytes);
  std::size_t unread = bytes.size();
  while (const auto record = reader.next()) {
    REQUIRE_RULE(reader.unread() < unread);
    unread = reader.unread();
    check_rewritten(*record);
  }
  REQUIRE_RULE(reader.unread() == unread);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_journal(bytes);
  // No fuzzer guesses a checksum: the same as a payload, of any format, behind a head that is right.
  for (const char format : {'\1', '\2', '\3', '\4'}) {
    std::string record(k_journal_head_bytes, '\0');
    record.push_back(format);
    record.append(bytes);
    seal_journal_record(record);
    check_journal(record);
    check_journal(record + record);
  }
  return 0;
}
