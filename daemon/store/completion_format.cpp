#include "daemon/store/completion_format.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

namespace nemo::store {
namespace {

constexpr std::size_t k_head = 8;
constexpr std::size_t k_largest_record = std::size_t{2} << 20U;  // a prompt is at most a quarter of it

// FNV-1a of 32 bits: a torn or overwritten record does not fit it.
std::uint32_t record_checksum(std::string_view bytes) {
  std::uint32_t hash = 0x811C9DC5U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193U;
  return hash;
}

template <typename Number>
void append_number(Number number, std::string& bytes) {
  const std::size_t at = bytes.size();
  bytes.resize(at + sizeof number);
  std::memcpy(bytes.data() + at, &number, sizeof number);
}

void append_text(std::string_view text, std::string& bytes) {
  append_number(static_cast<std::uint32_t>(text.size()), bytes);
  bytes.append(text);
}

// Takes fields off the front; after the first that is not there nothing is.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : m_bytes(bytes) {}

  template <typename Number>
  Number number() {
    Number number{};
    const std::string_view bytes = take(sizeof number);
    if (!bytes.empty()) std::memcpy(&number, bytes.data(), sizeof number);
    return number;
  }
  std::string text() { return std::string(take(number<std::uint32_t>())); }
  bool is_whole() const { return !m_missing && m_bytes.empty(); }

 private:
  std::string_view take(std::size_t size) {
    m_missing = m_missing || size > m_bytes.size();
    if (m_missing) return {};
    const std::string_view taken = m_bytes.substr(0, size);
    m_bytes.remove_prefix(size);
    return taken;
  }

  std::string_view m_bytes;
  bool m_missing = false;
};

std::optional<completion::Remembered> read_record(std::string_view bytes) {
  RecordReader reader(bytes);
  completion::Remembered remembered;
  remembered.at = WallTime(Micros(reader.number<std::int64_t>()));
  const auto ending = reader.number<std::uint8_t>();
  remembered.ending = ending == 0 ? completion::Ending::by_itself : completion::Ending::by_length;
  remembered.asked.seat = reader.text();
  remembered.asked.terms = reader.text();
  remembered.asked.prefix = reader.text();
  remembered.asked.suffix = reader.text();
  remembered.answer = reader.text();
  remembered.model = reader.text();
  if (!reader.is_whole() || ending > 1 || remembered.answer.empty()) return std::nullopt;
  return remembered;
}

}  // namespace

void append_record(const completion::Remembered& remembered, std::string& bytes) {
  std::string record;
  append_number(static_cast<std::int64_t>(remembered.at.time_since_epoch().count()), record);
  append_number(static_cast<std::uint8_t>(remembered.ending == completion::Ending::by_itself ? 0 : 1), record);
  append_text(remembered.asked.seat, record);
  append_text(remembered.asked.terms, record);
  append_text(remembered.asked.prefix, record);
  append_text(remembered.asked.suffix, record);
  append_text(remembered.answer, record);
  append_text(remembered.model, record);
  append_number(static_cast<std::uint32_t>(record.size()), bytes);
  append_number(record_checksum(record), bytes);
  bytes.append(record);
}

std::vector<completion::Remembered> read_records(std::string_view file) {
  std::vector<completion::Remembered> records;
  if (!file.starts_with(k_completions_magic)) return records;
  file.remove_prefix(k_completions_magic.size());
  while (file.size() >= k_head) {
    RecordReader head(file.substr(0, k_head));
    const auto size = head.number<std::uint32_t>();
    const auto sum = head.number<std::uint32_t>();
    if (size > k_largest_record || size > file.size() - k_head) break;
    const std::string_view bytes = file.substr(k_head, size);
    auto record = record_checksum(bytes) == sum ? read_record(bytes) : std::nullopt;
    if (!record) break;
    records.push_back(std::move(*record));
    file.remove_prefix(k_head + size);
  }
  return records;
}

}  // namespace nemo::store
