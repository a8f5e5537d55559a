// Reads one answer of HTTP/1.1 piece by piece. Source: RFC 9112, sections 4, 6 and 7. Internal to upstream/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/lib/zlib/inflater.h"
#include "daemon/upstream/transport.h"

namespace nemo::upstream::local {

// What can be wrong with an answer.
enum class Flaw : std::uint8_t { none, no_http, cut_short, unreadable_coding, bad_chunk, head_too_long };

// One thread. Lenient where real servers are: bare line feeds, a lower-case "chunked", chunk extensions.
class AnswerReader {
 public:
  // Takes all of `bytes`; what they hold of the body is appended to `body`. Nothing more is taken once there is a flaw.
  Flaw read(std::string_view bytes, std::string& body);
  // The server has closed the connection: is that the answer's end?
  Flaw close();

  bool has_begun() const { return m_has_begun; }
  bool has_head() const { return m_stage > Stage::head; }
  bool is_whole() const { return m_stage == Stage::whole; }
  // Another answer may follow on its connection, which is_whole() says for this one.
  bool keeps_connection() const { return m_keeps && !m_has_surplus; }
  Head& head() { return m_head; }

 private:
  enum class Stage : std::uint8_t { head, sized, until_close, chunk_size, chunk, chunk_end, trailers, whole };

  Flaw read_head(std::string_view& bytes);
  Flaw parse_head(std::string_view text);
  Flaw take_status_line(std::string_view line);
  void take_header(std::string_view line);
  Flaw begin_body();
  Flaw read_chunked(std::string_view& bytes, std::string& body);
  Flaw take_chunk_size();
  bool take_line(std::string_view& bytes);
  Flaw pass(std::string_view bytes, std::string& body);

  Stage m_stage = Stage::head;
  Head m_head;
  std::string m_text;        // of a head or a line that has not wholly come
  std::uint64_t m_left = 0;  // of a sized body or a chunk
  bool m_has_begun = false;
  bool m_keeps = false;
  bool m_has_surplus = false;
  bool m_unpacked = false;  // the packed stream has ended
  std::unique_ptr<lib::zlib::Inflater> m_inflater;
};

}  // namespace nemo::upstream::local
