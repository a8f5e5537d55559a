// A text that must not be printed: it has no operator<< and is wiped when it goes. expose() is the one way to read it,
// so that every use can be found by name.
#pragma once

#include <string>
#include <string_view>

namespace nemo {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : m_text(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) noexcept = default;
  ~Secret();

  bool empty() const { return m_text.empty(); }
  std::string_view expose() const { return m_text; }
  // What may be shown: "…abcd", the last four characters of a text of twelve or more, else "…".
  std::string hint() const;

 private:
  std::string m_text;
};

// Replaces everything in `text` that looks like a key (sk-…, Bearer …, key=…) with "[redacted]".
std::string redact(std::string_view text);

}  // namespace nemo
