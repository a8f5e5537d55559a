// Owns: finding the events in a byte stream of server-sent events (WHATWG HTML, section 9.2) while keeping their bytes.
// Must not know: what the events mean, sockets.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nemo::stream {

// Views into the scanner's buffer: valid until the next feed() or next().
struct SseEvent {
  std::string_view raw;    // every byte of the event as it came, its ending blank line included
  std::string_view event;  // value of "event:", empty if none
  std::string_view data;   // the joined values of its "data:" lines; empty for comments and pings
};

// One thread. Lines may end in LF, CRLF or CR; events may be split anywhere. An event that grows past k_largest_event
// is handed out raw in pieces with empty data, so that memory stays bounded whatever upstream sends.
class SseScanner {
 public:
  static constexpr std::size_t k_largest_event = std::size_t{4} << 20U;  // a whole image as a data URL fits

  void feed(std::string_view bytes);
  std::optional<SseEvent> next();
  // After the last byte: what is left without its final newline, as one event.
  std::optional<SseEvent> finish();
};

}  // namespace nemo::stream
