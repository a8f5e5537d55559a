// How the fake upstream is to answer one call. A script is a JSON object; each field below is a key of the same name.
//
// It is put together from, later ones winning field by field:
//   1. POST /control/default {script}
//   2. POST /control/rule {"model": NAME, "script": {...}, "times": N}   (NAME may begin or end with *)
//   3. the top-level field "fake" of the request body
//   4. the request header x-fake-script
//
// "Chunk" means one `data:` event before [DONE], counted from the first: a chat stream starts with the role chunk, so
// cut_after_chunks 0 is a head with nothing after it, 1 is the role and no content, 3 is two words of content.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_upstream/json.h"

namespace nemo::fake_upstream {

struct Script {
  // Pace, in milliseconds. An answer that is not streamed waits for the sum of them.
  double delay_ms = 0;        // before the head
  double first_token_ms = 0;  // between the head and the first chunk
  double chunk_ms = 0;        // between chunks

  // Held back until POST /control/release (see gate.h), so that a test decides what comes before what. A client that
  // leaves meanwhile is noticed.
  bool hold = false;                              // whatever is answered: nothing is sent, not even the head
  std::optional<std::int64_t> hold_after_chunks;  // a stream rests there; of a whole answer all but the head is held

  // Content.
  std::int64_t tokens = 12;  // words in the answer; max_tokens of the request lowers it
  bool ignore_max_tokens = false;
  std::string seed;  // another seed, another answer to the same prompt
  std::optional<std::string> content;
  std::string finish_reason;               // default: stop, length or tool_calls, as fits
  bool unicode = false;                    // words with emoji and other multi-byte characters
  std::int64_t huge_chunk_bytes = 0;       // every word is padded to this size
  std::optional<std::int64_t> tool_calls;  // how many; default: 1 if the user says "use the tool", 0 otherwise
  std::optional<std::string> tool_name;
  std::optional<std::string> tool_arguments;

  // Usage.
  std::int64_t reasoning_tokens = 0;
  std::int64_t cached_tokens = 0;
  std::optional<std::int64_t> prompt_tokens;
  bool gemini_usage = false;     // completion_tokens leaves the reasoning out, total_tokens has it
  bool no_usage = false;         // also when it was asked for
  bool usage_on_finish = false;  // usage rides on the finish chunk, asked for or not

  // Refusals.
  int status = 200;
  std::string error_shape = "openai";  // openai | detail | detail_object | array | html | empty
  std::string error_message;
  std::string error_code;
  std::string error_type;
  std::string retry_after;

  // Faults.
  bool cut_before_head = false;
  std::optional<std::int64_t> cut_after_chunks;
  std::string cut = "reset";  // reset | close (end of file between two chunks) | truncate_chunked (inside a chunk)
  std::optional<std::int64_t> stall_after_chunks;  // sends no more, until the client leaves
  std::string malformed;                           // json | garbage
  std::int64_t malformed_after = 2;
  std::optional<std::int64_t> error_event_after;  // an answer that is not streamed: an error inside a 200
  bool empty_200 = false;
  bool gzip_garbage = false;

  // Framing.
  bool role_chunk = true;
  bool no_done = false;
  bool no_finish = false;
  bool crlf = false;
  bool comments = false;          // ": keepalive" before every chunk
  bool event_lines = false;       // "event: chunk" before every data line
  bool no_final_newline = false;  // the last event lacks its empty line
  bool close_delimited = false;   // no chunked encoding: the end of the connection ends the body
  std::string split;  // bytes: every byte in a send of its own (a whole answer's held body is not); utf8: inside a
                      // multi-byte character
  std::vector<std::pair<std::string, std::string>> headers;
};

// Lays the fields of `fields` over `script`. Returns what is wrong with them, or nothing.
std::optional<std::string> apply_fields(Script& script, const Json& fields);

}  // namespace nemo::fake_upstream
