// OpenAI's completions answers and events (https://platform.openai.com/docs/api-reference/completions), read and made,
// and told in the form of a client's surface.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/protocol/surface_form.h"
#include "daemon/stream/sse_scanner.h"
#include "daemon/stream/translator.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::gateway {

// What an event's data, or a whole answer, says of choice 0. Views into the JSON.
struct CompletionPiece {
  std::string_view raw_text;       // between the quotes
  std::string_view finish_reason;  // empty: none
};
CompletionPiece read_completion_piece(std::string_view json);

// Tells a completion that no upstream makes for this call. One worker thread.
class CompletionTeller {
 public:
  struct To {
    const protocol::SurfaceForm& form;
    const protocol::RequestBody& body;  // the client's own; both outlive the teller's making, not its use
    const call::CallSpec& spec;
    std::string id;     // of the call
    std::string model;  // that answered
    WallTime at;
  };
  explicit CompletionTeller(const To& to);

  // A whole answer, in the client's form. No tokens were used for it.
  static Result<std::string> whole(const To& to, std::string_view text, std::string_view finish_reason);

  void say(std::string_view text, std::string& out);
  void finish(std::string_view finish_reason, std::string& out);
  void break_off(const Error& error, std::string& out);

 private:
  std::string event(std::string_view text, std::string_view finish_reason) const;
  void pass(std::string_view events, std::string& out);

  std::string m_head;  // of every event, up to its choices
  bool m_states_usage;
  bool m_shows_cost;
  std::unique_ptr<stream::Translator> m_translator;  // null: the client takes the events as they are
  stream::SseScanner m_scanner;
};

}  // namespace nemo::gateway
