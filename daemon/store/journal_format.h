// One ledger row as bytes of a journal file.
//
// A record is: payload length (4 bytes), checksum of the payload (8 bytes), payload. The payload begins with its format
// (1 byte); whole numbers are zigzag varints, texts a length and their bytes, enumerators the names that to_string
// gives them, lists a count and their items. Numbers of fixed size are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/call_record.h"

namespace nemo::store {

// What a journal keeps of texts and lists that callers or upstreams can make as long as they like.
inline constexpr std::size_t k_longest_journal_text = 1024;
inline constexpr std::size_t k_longest_journal_list = 16;
// No record is longer: the above, and all fields as large as they get.
inline constexpr std::size_t k_longest_journal_record = 256 * 1024;
// Of a record, before its payload.
inline constexpr std::size_t k_journal_head_bytes = 12;

// Everything but the field `journal`; longer texts and lists are cut.
std::string to_journal_bytes(const call::CallRecord& record);
// Writes the head of a record whose payload stands behind k_journal_head_bytes of anything.
void seal_journal_record(std::string& record);

// Reads the records of a file one after the other, those of older formats too; believes no length and no count. Keeps a
// view of `bytes`.
class JournalReader {
 public:
  explicit JournalReader(std::string_view bytes) : m_rest(bytes) {}

  // Absent: the end, or bytes that are no record; nothing behind those can be read.
  std::optional<call::CallRecord> next();
  std::size_t unread() const { return m_rest.size(); }  // 0 after next(): the file was whole

 private:
  std::string_view m_rest;
};

}  // namespace nemo::store
