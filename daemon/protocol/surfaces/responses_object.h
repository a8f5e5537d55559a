// A response object: what it says of its request, and what of its answer. Source: OpenAI API reference (the response
// object).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/usage.h"
#include "daemon/protocol/surface_form.h"

namespace nemo::protocol {

struct ResponseState {
  std::string_view status = "in_progress";
  std::string_view incomplete_reason;  // empty: none
  std::string_view error;              // raw; empty: none
  std::string_view output;             // items with commas
  std::optional<call::Usage> usage;
};

// Made once for each response. Keeps copies.
class ResponseShell {
 public:
  explicit ResponseShell(const Telling& telling);

  void append(const ResponseState& state, std::string& out) const;  // compact, one line
  // Ids of items: the response's own with a prefix and a place, so that they are never those of another response.
  std::string item_id(std::string_view prefix, std::size_t place) const;

 private:
  std::string m_id;      // without its prefix
  std::string m_head;    // the fields before the status
  std::string m_echoed;  // the request's fields
};

// {"code":…,"message":…}
std::string response_error(std::string_view code, std::string_view message);
// The code that clients act on (rate_limit_exceeded, insufficient_quota, context_length_exceeded), or server_error.
// `upstream_code` is what upstream called it, or empty.
std::string_view response_error_code(const Error& error, std::string_view upstream_code);
// What a person, and a client that reads "try again in 3s", is told.
std::string response_error_message(const Error& error);

}  // namespace nemo::protocol
