// A streamed answer: server-sent events (WHATWG HTML, section 9.2) in the shape of OpenAI's chat.completion.chunk and
// text_completion, one word an event, with the faults that the script asks for. Made as it is sent, so that thousands
// of long streams cost little.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "tests/support/fake_upstream/answer_body.h"
#include "tests/support/fake_upstream/playback.h"

namespace nemo::fake_upstream {

class EventStream final : public Playback {
 public:
  EventStream(Ask ask, Script script, std::string id, BilledUsage planned);
  Step next() override;

 private:
  enum class Stage { role, words, tools, finish, usage, done, end };
  struct Event {
    std::string data;
    std::int64_t chunks = 1;
    std::int64_t words = 0;
  };

  Step head();
  bool fault_is_due(Step& step);
  Event make_event();
  Event word_event();
  Event tool_event();
  Event finish_event();
  void skip_empty_stages();
  std::string chunk_json(std::size_t choice, const std::string& payload, const std::string& finish) const;
  std::string framed(std::string_view bytes) const;
  void queue(const Event& event);
  void queue_split(Step step, std::string_view text);

  Ask m_ask;
  Script m_script;
  BilledUsage m_planned;
  std::string m_id;
  std::string m_prefix;  // of every chunk, up to its choices
  std::vector<Words> m_words;
  std::vector<std::string> m_pieces;
  std::deque<Step> m_queue;
  Stage m_stage = Stage::role;
  std::size_t m_choice = 0;
  std::int64_t m_index = 0;  // word, or piece of arguments, within the choice
  std::int64_t m_tool = 0;
  std::int64_t m_chunks = 0;
  bool m_head_sent = false;
  bool m_malformed_sent = false;
};

// "HTTP/1.1 200 OK" with the script's headers and, unless negative, a Content-Length.
std::string response_head(int status, std::string_view content_type, std::int64_t content_length, const Script& script);

// One chunk of a chunked body: its size in hexadecimal, and the bytes.
std::string http_chunk(std::string_view bytes);

// The steps that end an answer as script.cut says; `rest` is what would have come next.
Step cut_step(const Script& script, std::string_view rest);

}  // namespace nemo::fake_upstream
