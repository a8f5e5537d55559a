// Changes of single top-level fields in a copy of a body; every other byte stays as it came.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/protocol/request_body.h"

namespace nemo::protocol {

class FieldEdit {
 public:
  void set(std::string key, std::string raw_json);  // replaces the value, or adds the field at the end
  void remove(std::string key);
  bool empty() const { return m_changes.empty(); }
  std::string apply(const RequestBody& body) const;

 private:
  std::vector<std::pair<std::string, std::string>> m_changes;  // an empty value removes
};

// `text` as a JSON string with its quotes.
std::string quote_json(std::string_view text);

}  // namespace nemo::protocol
