#include "daemon/protocol/translate/completion_parts.h"

#include "daemon/protocol/json_cursor.h"

namespace nemo::protocol {
namespace {

void read_message(JsonCursor& cursor, CompletionChoice& choice) {
  if (cursor.peek() != '{') {
    cursor.skip();
    return;
  }
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "content") {
      choice.content = cursor.take();
    } else {
      cursor.skip();
    }
  }
}

void read_choice(JsonCursor& cursor, std::vector<CompletionChoice>& choices) {
  if (cursor.peek() != '{') {
    cursor.skip();
    return;
  }
  CompletionChoice choice;
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "delta" || *key == "message") {
      read_message(cursor, choice);
    } else if (*key == "text") {
      choice.content = cursor.take();
    } else if (*key == "index") {
      choice.index = cursor.take();
    } else if (*key == "finish_reason") {
      choice.finish_reason = cursor.take();
    } else {
      cursor.skip();
    }
  }
  choices.push_back(choice);
}

void read_choices(JsonCursor& cursor, CompletionParts& answer) {
  if (cursor.peek() != '[') {
    cursor.skip();
    return;
  }
  answer.has_choices = true;
  cursor.begin_array();
  while (cursor.next_element()) read_choice(cursor, answer.choices);
}

}  // namespace

std::optional<CompletionParts> read_completion_parts(std::string_view json) {
  JsonCursor cursor(json);
  CompletionParts answer;
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "id") {
      answer.id = cursor.take();
    } else if (*key == "created") {
      answer.created = cursor.take();
    } else if (*key == "model") {
      answer.model = cursor.take();
    } else if (*key == "choices") {
      read_choices(cursor, answer);
    } else if (*key == "usage") {
      answer.usage = cursor.take();
    } else if (*key == "error") {
      answer.has_error = cursor.take() != "null";
    } else {
      cursor.skip();
    }
  }
  if (!cursor.at_end()) return std::nullopt;
  if (answer.usage == "null") answer.usage = {};
  return answer;
}

std::string content_body(std::string_view raw) {
  if (raw.size() >= 2 && raw.front() == '"') return std::string(raw.substr(1, raw.size() - 2));
  std::string out;
  JsonCursor cursor(raw);
  if (cursor.peek() != '[') return out;
  cursor.begin_array();
  while (cursor.next_element()) {
    const auto text = find_member(cursor.take(), "text");
    if (text && text->size() >= 2 && text->front() == '"') out.append(text->substr(1, text->size() - 2));
  }
  return out;
}

}  // namespace nemo::protocol
