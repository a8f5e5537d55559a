// Owns: a JSON request body as it came, and where its top-level fields lie in it.
// Must not know: what the fields mean to a surface, sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace nemo::protocol {

// What the items of a list are; `none` for an empty list and for what is not a list.
enum class Items : std::uint8_t { none, texts, numbers, objects, lists, mixed };

struct Field {
  std::string_view key;    // as it stands between its quotes
  std::string_view value;  // raw JSON
  std::size_t begin = 0;   // offset of the opening quote of the key
  std::size_t end = 0;     // one past the value
  Items items = Items::none;
  std::size_t item_count = 0;  // of a list
};

// Immutable: fields are views into the bytes and stay valid when the body is moved. One pass checks that all of it is
// JSON; numbers of any size and half surrogate pairs are let through, for the bytes go on as they came.
class RequestBody {
 public:
  static constexpr std::size_t k_most_fields = 512;  // real requests have some thirty
  static constexpr std::size_t k_longest_key = 1024;

  // invalid_request, with the byte at fault: not JSON, not UTF-8, not an object, nested too deeply, too many fields, a
  // key that is too long or given twice.
  static Result<RequestBody> parse(std::string bytes);

  RequestBody(RequestBody&&) noexcept = default;
  RequestBody& operator=(RequestBody&&) noexcept = default;

  std::string_view bytes() const { return m_bytes ? std::string_view(*m_bytes) : std::string_view(); }
  const std::vector<Field>& fields() const { return m_fields; }
  const Field* find(std::string_view key) const;  // null: not there. `key` and the field's name are compared unescaped

 private:
  RequestBody() = default;
  Status read_fields();

  std::unique_ptr<const std::string> m_bytes;  // behind a pointer: a short string would move its bytes along
  std::vector<Field> m_fields;
};

}  // namespace nemo::protocol
