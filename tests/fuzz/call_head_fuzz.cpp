// A head that the quick reader takes is one that every reader takes in the same way: each line ends as it should, what
// decides about the body stands there once, and a slower reader finds the same.
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/http/call_head.h"
#include "tests/fuzz/require.h"

using nemo::http::CallHead;
using nemo::http::read_call_head;

namespace {

const nemo::config::Settings k_settings;

struct Header {
  std::string name;  // lower case
  std::string value;
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The lines before the blank one, the request's first.
std::vector<std::string> lines_of(std::string_view head) {
  const std::string text(head.substr(0, head.find("\r\n\r\n")));
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find("\r\n", begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 2;
  }
  return lines;
}

std::vector<Header> headers_of(const std::vector<std::string>& lines) {
  std::vector<Header> headers;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    REQUIRE_RULE(colon != std::string::npos && colon > 0);
    headers.push_back({lower(lines[i].substr(0, colon)), trimmed(lines[i].substr(colon + 1))});
  }
  return headers;
}

// The value of the only header of that name.
std::optional<std::string> only(const std::vector<Header>& headers, std::string_view name) {
  std::optional<std::string> found;
  for (const Header& header : headers) {
    if (header.name != name) continue;
    REQUIRE_RULE(!found);
    found = header.value;
  }
  return found;
}

bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_agrees(std::string_view head, const CallHead& call) {
  const auto lines = lines_of(head);
  for (const std::string& line : lines) REQUIRE_RULE(line.find_first_of("\r\n") == std::string::npos);
  REQUIRE_RULE(lines[0].starts_with("POST /") && lines[0].ends_with(" HTTP/1.1"));
  const auto headers = headers_of(lines);
  for (const char* name : {"transfer-encoding", "content-encoding", "expect", "origin", "upgrade"})
    REQUIRE_RULE(!only(headers, name));
  REQUIRE_RULE(only(headers, "host").value_or("") != "");
  const auto length = only(headers, "content-length");
  REQUIRE_RULE(length && length->find_first_not_of("0123456789") == std::string::npos);
  REQUIRE_RULE(std::stoull(*length) == call.body_size);
  REQUIRE_RULE(call.body_size > 0 && call.body_size <= k_settings.max_body_bytes);
  const auto authorization = only(headers, "authorization");
  REQUIRE_RULE(authorization && lower(*authorization) == lower("Bearer " + std::string(call.key)));
  REQUIRE_RULE(!call.key.empty());
  REQUIRE_RULE(only(headers, "user-agent").value_or("") == call.user_agent);
  REQUIRE_RULE(lies_in(call.key, head) && lies_in(call.user_agent, head));
}

// What is read of it does not change with what stands behind it, and less of it is no call.
void check_bounds(std::string_view head) {
  const std::size_t end = head.find("\r\n\r\n") + 4;
  REQUIRE_RULE(read_call_head(head.substr(0, end), k_settings).has_value());
  for (std::size_t size = 0; size < end; size += 1 + size / 16)
    REQUIRE_RULE(!read_call_head(head.substr(0, size), k_settings));
  REQUIRE_RULE(!read_call_head(head.substr(0, end - 1), k_settings));
}

void check_more_is_refused(std::string_view head) {
  const std::size_t end = head.find("\r\n\r\n") + 2;
  for (const char* more :
       {"Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "Host: localhost\r\n",
        "Authorization: Bearer other\r\n", "no colon\r\n", "Name : value\r\n", " folded\r\n", "\n"}) {
    std::string longer(head);
    longer.insert(end, more);
    REQUIRE_RULE(!read_call_head(longer, k_settings));
  }
}

void check(const std::string& head) {
  const auto call = read_call_head(head, k_settings);
  if (!call) return;
  check_agrees(head, *call);
  check_bounds(head);
  check_more_is_refused(head);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(text);
  // What nearly every head begins with, and any end; and the other way round.
  const std::string line = "POST /v1/chat/completions HTTP/1.1\r\n";
  const std::string headers = "Host: localhost:6366\r\nAuthorization: Bearer sk-nemo-1\r\nContent-Length: 12\r\n";
  check(line + headers + text + "\r\n\r\n");
  check(line + text + headers + "\r\n");
  check(text + headers + "\r\n");
  return 0;
}
