#include "daemon/protocol/surfaces/responses_chat.h"

#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/openai_answer.h"

namespace nemo::protocol {
namespace {

// A list of parts, as Mistral's reasoning models answer: texts, and thinking that holds texts.
void read_parts(JsonCursor& cursor, std::string& text, std::string& thinking) {
  each_element(cursor, [&] {
    std::string_view type, said, thought;
    each_field(cursor, [&](std::string_view key) {
      const std::string_view value = cursor.take();
      if (key == "type") type = value;
      if (key == "text") said = value;
      if (key == "thinking") thought = value;
    });
    if (type == "\"text\"") text.append(text_body(said));
    if (type != "\"thinking\"" || thought.empty()) return;
    thinking.append(text_body(thought));
    JsonCursor inner(thought);
    std::string none;
    read_parts(inner, thinking, none);
  });
}

void read_text_or_parts(JsonCursor& cursor, ChatPiece& piece) {
  if (cursor.peek() == '[') {
    read_parts(cursor, piece.text, piece.reasoning);
  } else {
    piece.text.append(text_body(cursor.take()));
  }
}

void read_call(JsonCursor& cursor, std::vector<ChatToolPiece>& tools) {
  ChatToolPiece call;
  each_field(cursor, [&](std::string_view key) {
    if (key == "function") {
      each_field(cursor, [&](std::string_view inner) {
        const std::string_view value = cursor.take();
        if (inner == "name") call.name = text_body(value);
        if (inner == "arguments") call.arguments = text_body(value);
      });
      return;
    }
    const std::string_view value = cursor.take();
    if (key == "id") call.id = text_body(value);
    if (key == "index" && value != "null") call.index = value;
    if (key == "extra_content" && value.substr(0, 1) == "{") call.extra = value;
  });
  tools.push_back(call);
}

std::string_view between_brackets(std::string_view list) {
  return list.size() > 2 && list.front() == '[' ? list.substr(1, list.size() - 2) : std::string_view();
}

// A delta of a chunk, or the message of a whole answer.
void read_message(JsonCursor& cursor, ChatPiece& piece) {
  each_field(cursor, [&](std::string_view key) {
    if (key == "content") {
      read_text_or_parts(cursor, piece);
    } else if (key == "tool_calls") {
      each_element(cursor, [&] { read_call(cursor, piece.tools); });
    } else {
      const std::string_view value = cursor.take();
      // Some servers send both words for the same text.
      if ((key == "reasoning_content" || key == "reasoning") && piece.reasoning.empty()) {
        piece.reasoning.append(text_body(value));
      }
      if (key == "refusal") piece.refusal.append(text_body(value));
      if (key == "thinking_blocks") piece.thinking_blocks = between_brackets(value);
    }
  });
}

void read_choice(JsonCursor& cursor, ChatPiece& piece) {
  ChatPiece choice;
  std::int64_t index = 0;
  each_field(cursor, [&](std::string_view key) {
    if (key == "delta" || key == "message") {
      read_message(cursor, choice);
    } else if (key == "finish_reason") {
      choice.finish_reason = text_body(cursor.take());
    } else if (key == "index") {
      index = read_integer(cursor.take()).value_or(0);
    } else {
      cursor.skip();
    }
  });
  piece.is_answer = true;
  if (index != 0) return;
  choice.is_answer = true;
  piece = std::move(choice);
}

}  // namespace

std::optional<ChatPiece> read_chat_piece(std::string_view json) {
  ChatPiece piece;
  JsonCursor cursor(json);
  if (cursor.peek() != '{') return std::nullopt;
  bool has_usage = false;
  bool is_error = false;
  each_field(cursor, [&](std::string_view key) {
    if (key == "choices") {
      each_element(cursor, [&] { read_choice(cursor, piece); });
    } else if (key == "usage") {
      has_usage = cursor.peek() == '{';
      cursor.skip();
    } else if (key == "error") {
      is_error = cursor.take() != "null";
    } else {
      cursor.skip();
    }
  });
  if (!cursor.at_end()) return std::nullopt;
  piece.is_error = is_error;
  if (has_usage) {
    JsonCursor again(json);
    piece.usage = read_answer_object(again).usage;
    piece.is_answer = true;
  }
  return piece;
}

}  // namespace nemo::protocol
