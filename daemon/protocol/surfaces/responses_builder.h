// Makes a response of what a chat model says, piece by piece: its events, and the whole of it. Source: OpenAI API
// reference (responses, streaming events).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/protocol/surface_form.h"
#include "daemon/protocol/surfaces/responses_carrier.h"
#include "daemon/protocol/surfaces/responses_chat.h"
#include "daemon/protocol/surfaces/responses_object.h"
#include "daemon/protocol/surfaces/responses_tools.h"

namespace nemo::protocol {

enum class ResponseEvents : std::uint8_t { send, omit };  // omit: only the whole is wanted

// One answer, one thread. Events are appended to `out`. Texts go over as they stand between their quotes.
class ResponseBuilder {
 public:
  ResponseBuilder(const Telling& telling, ResponseEvents events);

  // False: the answer is larger than anything a model says, and is to be broken off.
  bool take(const ChatPiece& piece, std::string& out);
  void complete(std::string& out);  // ends what is open, and the response
  void fail(std::string_view code, std::string_view message, std::string& out);
  bool is_over() const { return m_over; }
  void append_response(std::string& out) const;  // the whole response, once complete

 private:
  enum class Part : std::uint8_t { none, text, refusal };
  enum class Text : std::uint8_t { none, reasoning, message };

  // A reasoning item or a message; only one is open at a time.
  struct OpenText {
    Text kind = Text::none;
    std::size_t place = 0;
    std::string id;
    CarriedThoughts thoughts;  // of reasoning
    Part part = Part::none;    // of a message: the part that is open
    std::size_t part_place = 0;
    std::string body;   // of the part
    std::string parts;  // those that ended, with commas
  };
  // Calls stay open to the end: some upstreams send the pieces of several in turns.
  struct OpenCall {
    std::string index;
    std::string call_id;  // between the quotes
    std::string extra;    // raw
    ToolNames::Meant tool;
    std::string arguments;  // between the quotes
    std::size_t place = 0;
    std::string id;
    bool is_told = false;  // its item was added
  };

  void begin(std::string& out);
  void add_reasoning(std::string_view body, std::string& out);
  void add_thinking_blocks(std::string_view blocks, std::string& out);
  void add_text(Part part, std::string_view body, std::string& out);
  void open_part(Part part, std::string& out);
  void open_text(Text kind, std::string& out);
  void end_part(std::string& out);
  void end_text(std::string_view status, std::string& out);
  void end_reasoning(std::string& out);
  void add_call(const ChatToolPiece& piece, std::size_t nth, std::string& out);
  OpenCall* find_call(const ChatToolPiece& piece, std::string_view index);
  void tell_call(OpenCall& call, std::string& out);
  void add_arguments(OpenCall& call, std::string_view body, std::string& out);
  void end_call(OpenCall& call, std::string_view status, std::string& out);
  void end_custom_call(OpenCall& call, std::string_view status, std::string& out);
  void add_signatures(std::string& out);
  std::string call_item(const OpenCall& call, std::string_view status, std::string_view given) const;

  // `fields` begin with a comma. The event's place among the output, and the item's id.
  void emit(std::string_view type, std::string_view fields, std::string& out);
  void emit_at(std::string_view type, std::size_t place, std::string_view id, std::string_view fields,
               std::string& out);
  void add_item(std::size_t place, std::string_view item, std::string& out);
  void end_item(std::size_t place, std::string item, std::string& out);
  void emit_response(std::string_view type, const ResponseState& state, std::string& out);
  std::size_t next_place();
  std::string joined_output() const;
  ResponseState final_state(const std::string& output) const;
  call::Usage usage() const;

  ResponseShell m_shell;
  ToolNames m_tools;
  ResponseEvents m_events;
  std::size_t m_prompt_bytes;
  std::size_t m_sequence = 0;
  std::vector<std::string> m_items;  // by their place; those that are still open are empty
  OpenText m_text;
  std::vector<OpenCall> m_calls;
  std::string m_finish_reason;
  std::optional<call::Usage> m_usage;
  std::size_t m_bytes = 0;  // of everything the model has said
  bool m_begun = false;
  bool m_over = false;
};

}  // namespace nemo::protocol
