// Owns: what a passing stream tells about the call: first content, usage, how it ended. Changes no byte.
// Must not know: sockets, prices, who called.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/stream/chunk_reader.h"
#include "shared/clock.h"

namespace nemo::stream {

enum class UsageFrames : std::uint8_t { show, hide };

struct TapResult {
  bool forward = true;          // false: a usage frame that the client did not ask for, or its own [DONE] is not due
  bool commits = false;         // the first event that shows upstream is really answering (content or finish)
  bool is_error = false;        // an error event inside a 200
  bool has_usage = false;       // the event states usage
  bool usage_is_final = false;  // and no other will follow
  std::string_view text;        // of the first choice, as it stands between its quotes
};

// One thread.
class StreamTap {
 public:
  StreamTap(std::unique_ptr<ChunkReader> reader, UsageFrames frames);

  TapResult look(const SseEvent& event, SteadyTime now);

  std::optional<SteadyTime> first_content_at() const { return m_first_content_at; }
  bool saw_content() const { return m_first_content_at.has_value(); }
  // Every choice that was seen has got its finish_reason.
  bool finished() const { return m_finished > static_cast<std::size_t>(m_highest_choice); }
  bool saw_end_marker() const { return m_end_marker; }
  bool saw_error() const { return !m_error.empty(); }
  bool saw_malformed() const { return m_malformed; }
  const std::string& error_message() const { return m_error; }
  const std::optional<call::Usage>& usage() const { return m_usage; }  // the last that upstream stated
  std::size_t content_bytes() const { return m_content_bytes; }
  std::int64_t content_events() const { return m_content_events; }

 private:
  std::unique_ptr<ChunkReader> m_reader;
  UsageFrames m_frames;
  std::optional<SteadyTime> m_first_content_at;
  bool m_committed = false;
  std::size_t m_finished = 0;
  std::int64_t m_highest_choice = 0;
  bool m_end_marker = false;
  bool m_malformed = false;
  std::string m_error;
  std::optional<call::Usage> m_usage;
  std::size_t m_content_bytes = 0;
  std::int64_t m_content_events = 0;
};

}  // namespace nemo::stream
