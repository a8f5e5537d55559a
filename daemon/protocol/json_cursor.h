// Owns: walking JSON text once, from left to right, checking every byte of what it passes (RFC 8259), without a tree
// and without a copy. UTF-8 is not checked here (RequestBody does, for a whole body). Must not know: what the values
// mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nemo::protocol {

struct JsonFault {
  std::size_t offset = 0;      // of the byte that does not fit
  const char* what = nullptr;  // null: no fault
};

// One thread. Views point into the text. After the first fault every step returns "nothing more", so that a walk needs
// one check at its end. After next_field() and next_element() the value must be passed: take, skip or begin.
class JsonCursor {
 public:
  static constexpr std::size_t k_deepest =
      128;  // a tool schema nests some twenty deep; the bound keeps the stack small

  explicit JsonCursor(std::string_view text) : m_text(text) {}

  char peek();  // first character of what comes next, white space passed; '\0' at the end or after a fault
  bool begin_object();
  bool begin_array();
  std::optional<std::string_view> next_field();  // the key as it stands between its quotes; nullopt: the object ended
  bool next_element();                           // false: the array ended
  bool skip();                                   // passes one value
  std::string_view take();                       // passes one value and returns its bytes; empty after a fault
  bool at_end();                                 // nothing but white space is left, and there was no fault

  std::size_t offset() const { return m_at; }
  bool failed() const { return m_fault.what != nullptr; }
  const JsonFault& fault() const { return m_fault; }

 private:
  bool fail(const char* what);
  bool begin(char open, const char* what);
  bool step(char close, const char* what);
  std::optional<std::string_view> string_body();
  bool pass_slowly();
  bool escape();
  bool number();
  bool digits();
  bool literal(std::string_view word);

  std::string_view m_text;
  std::size_t m_at = 0;
  std::size_t m_depth = 0;
  bool m_just_opened = false;  // no comma is due before the next item
  JsonFault m_fault;
};

// The bytes of a field's value in an object; nullopt: not there, or the text up to it is not JSON.
std::optional<std::string_view> find_member(std::string_view object, std::string_view key);

}  // namespace nemo::protocol
