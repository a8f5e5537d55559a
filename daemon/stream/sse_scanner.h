// Owns: finding the events in a byte stream of server-sent events (WHATWG HTML, section 9.2) while keeping their bytes.
// Must not know: what the events mean, sockets.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nemo::stream {

// Views into the scanner's buffer: valid until the next feed(), next() or finish().
struct SseEvent {
  std::string_view raw;    // every byte of the event as it came, its ending blank line included
  std::string_view event;  // value of "event:", empty if none
  std::string_view data;   // the joined values of its "data:" lines; empty for comments and pings
};

// One thread. Lines may end in LF, CRLF or CR; events may be split anywhere, and the same bytes give the same events
// however they are split. A blank line with nothing before it is an event of its own without data. A CR that is the
// last byte so far waits for the next byte, which may be its LF. An event that grows past k_largest_event is handed out
// raw in pieces with empty data, so that memory stays bounded whatever upstream sends.
class SseScanner {
 public:
  static constexpr std::size_t k_largest_event = std::size_t{4} << 20U;  // a whole image as a data URL fits

  void feed(std::string_view bytes);
  std::optional<SseEvent> next();
  // After the last byte: what is left without its final newline, as one event. Feed no more.
  std::optional<SseEvent> finish();

 private:
  enum class Scan : unsigned char { more_bytes_needed, event_ended, too_large };
  Scan scan();
  SseEvent hand_out();
  SseEvent read(std::string_view raw);
  void read_line(std::string_view line, SseEvent& event, std::size_t& data_lines);

  std::string m_buffer;
  std::string m_joined;           // the data of an event with several data lines
  std::size_t m_begin = 0;        // where the event that is being scanned begins
  std::size_t m_scanned = 0;      // everything before was looked at
  bool m_line_is_empty = true;    // no byte of the current line yet
  bool m_is_piece = false;        // the event was too large: a part of it has been handed out
  bool m_at_stream_start = true;  // a byte order mark may come
  bool m_finished = false;
};

}  // namespace nemo::stream
