// HTTP/1.1 as far as the fake upstream needs it (RFC 9112): requests are parsed, response heads are written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nemo::fake_upstream {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;
  std::string path;   // without the query
  std::string query;  // without the question mark
  Headers headers;    // names in lower case
  std::string body;
  bool keep_alive = true;

  std::string_view header(std::string_view lower_case_name) const;
};

// Takes the bytes of one connection and gives its requests, one after the other.
class RequestParser {
 public:
  enum class Outcome { incomplete, complete, bad, too_large };

  // The next whole request moves into `request`; what follows it is kept.
  Outcome parse(Request& request);
  void append(const char* data, std::size_t size) { m_buffer.append(data, size); }
  // True once for a request that waits for "100 Continue" before it sends its body.
  bool take_wants_continue();

 private:
  Outcome parse_head();
  Outcome parse_chunked_body();
  bool parse_header_line(std::string_view line);

  std::string m_buffer;
  Request m_request;
  std::size_t m_body_start = 0;
  std::size_t m_content_length = 0;
  std::size_t m_chunk_position = 0;
  bool m_head_done = false;
  bool m_chunked = false;
  bool m_wants_continue = false;
};

std::string_view reason_phrase(int status);
std::string_view query_value(std::string_view query, std::string_view name);

}  // namespace nemo::fake_upstream
