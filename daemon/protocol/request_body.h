// Owns: a JSON request body as it came, and where its top-level fields lie in it.
// Must not know: what the fields mean to a surface, sockets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace nemo::protocol {

struct Field {
  std::string_view key;    // as it stands between its quotes
  std::string_view value;  // raw JSON
  std::size_t begin = 0;   // offset of the opening quote of the key
  std::size_t end = 0;     // one past the value
};

// Immutable and pinned: fields are views into the bytes. One simdjson pass checks that all of it is JSON.
class RequestBody {
 public:
  static Result<RequestBody> parse(std::string bytes);  // invalid_request: not JSON, not an object, a key given twice

  RequestBody(RequestBody&&) noexcept = default;
  RequestBody& operator=(RequestBody&&) noexcept = default;

  std::string_view bytes() const;
  const std::vector<Field>& fields() const { return m_fields; }
  const Field* find(std::string_view key) const;  // null: not there

 private:
  RequestBody() = default;
  std::string m_bytes;  // with the padding that simdjson wants behind it
  std::size_t m_size = 0;
  std::vector<Field> m_fields;
};

}  // namespace nemo::protocol
