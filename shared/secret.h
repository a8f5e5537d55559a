// A text that must not be printed: it has no operator<< and is wiped when it goes. expose() is the one way to read it,
// so that every use can be found by name.
#pragma once

#include <string>
#include <string_view>

namespace nemo {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text);
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  bool empty() const { return m_text.empty(); }
  std::string_view expose() const { return m_text; }
  // What may be shown: "…abcd", the last four characters of a text of twelve or more, else "…".
  std::string hint() const;

 private:
  std::string m_text;
};

// Replaces everything in `text` that looks like a key with "[redacted]": what begins as keys do (sk-…, AIza…, ya29.…),
// what follows "Bearer" or "Basic", and the value of a name such as key, api_key or token, as a header, a query or
// JSON.
std::string redact(std::string_view text);

}  // namespace nemo
