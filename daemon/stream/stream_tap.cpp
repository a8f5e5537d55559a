#include "daemon/stream/stream_tap.h"

#include <algorithm>
#include <utility>

namespace nemo::stream {

StreamTap::StreamTap(std::unique_ptr<ChunkReader> reader, UsageFrames frames)
    : m_reader(std::move(reader)), m_frames(frames) {}

TapResult StreamTap::look(const SseEvent& event, SteadyTime now) {
  bool malformed = false;
  ChunkFacts facts = m_reader->read(event, malformed);
  if (malformed) m_malformed = true;

  TapResult result;
  if (facts.has_content) {
    if (!m_first_content_at) m_first_content_at = now;
    m_content_bytes += facts.content_bytes;
    ++m_content_events;
  }
  m_finished += facts.finished;
  m_highest_choice = std::max(m_highest_choice, facts.highest_choice);
  if (facts.end_marker) m_end_marker = true;
  if (facts.usage) {
    m_usage = facts.usage;
    result.has_usage = true;
    result.usage_is_final = facts.only_usage || finished();
  }
  if (facts.is_error) {
    result.is_error = true;
    if (m_error.empty()) {
      m_error = facts.error_message.empty() ? "the upstream broke off its answer" : std::move(facts.error_message);
    }
  }
  if (!m_committed && !facts.is_error && (facts.has_content || facts.finished != 0 || facts.only_usage)) {
    result.commits = m_committed = true;
  }
  result.text = facts.text;
  result.forward = !(m_frames == UsageFrames::hide && facts.only_usage && !facts.is_error);
  return result;
}

}  // namespace nemo::stream
