// The chunk reader of chat completions and legacy completions.
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/openai_answer.h"

namespace nemo::protocol {
namespace {

class OpenAiChunkReader final : public stream::ChunkReader {
 public:
  stream::ChunkFacts read(const stream::SseEvent& event, bool& malformed) override {
    const std::string_view data = trim(event.data);
    stream::ChunkFacts facts;
    if (data.empty()) return facts;
    if (data == "[DONE]") {
      facts.end_marker = true;
      return facts;
    }
    JsonCursor cursor(data);
    if (event.event == "error") {
      facts.is_error = true;
    } else if (cursor.peek() == '{') {
      read_object(cursor, facts);
      malformed = !cursor.at_end();
    } else {
      // Google wraps its errors in a list: [{"error":{…}}].
      facts.is_error = is_error_list(data);
      malformed = !facts.is_error;
    }
    if (malformed) return {};
    if (facts.is_error) facts.error_message = read_complaint(data).message;
    return facts;
  }

 private:
  static void read_object(JsonCursor& cursor, stream::ChunkFacts& facts) {
    const AnswerParts parts = read_answer_object(cursor);
    facts.is_error = parts.has_error || parts.is_named_error;
    facts.has_content = parts.choices.content_bytes != 0;
    facts.content_bytes = parts.choices.content_bytes;
    facts.text = parts.choices.text;
    facts.finished = parts.choices.finished;
    facts.highest_choice = parts.choices.highest_index;
    facts.usage = parts.usage;
    facts.only_usage = parts.has_usage && parts.choices.count == 0;
  }

  static bool is_error_list(std::string_view data) {
    JsonCursor cursor(data);
    return cursor.begin_array() && cursor.next_element() && find_member(cursor.take(), "error").has_value();
  }
};

}  // namespace

std::unique_ptr<stream::ChunkReader> make_openai_chunk_reader() {
  return std::make_unique<OpenAiChunkReader>();
}

}  // namespace nemo::protocol
