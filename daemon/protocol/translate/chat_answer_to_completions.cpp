// Chat answers and chunks in the legacy shape. Values go over as they stand: nothing is decoded unless a fence is to be
// looked for.
#include <algorithm>
#include <optional>
#include <vector>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/completions_to_chat.h"
#include "daemon/protocol/translate/fence_filter.h"
#include "shared/json_escape.h"

namespace nemo::protocol {
namespace {

// Raw JSON values; empty: not there.
struct ChatChoice {
  std::string_view index = "0";
  std::string_view content;
  std::string_view finish_reason = "null";
};

struct ChatAnswer {
  std::string_view id, created, model, usage;
  bool has_choices = false;
  bool has_error = false;
  std::vector<ChatChoice> choices;
};

void read_message(JsonCursor& cursor, ChatChoice& choice) {
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

void read_choice(JsonCursor& cursor, std::vector<ChatChoice>& choices) {
  if (cursor.peek() != '{') {
    cursor.skip();
    return;
  }
  ChatChoice choice;
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "delta" || *key == "message") {
      read_message(cursor, choice);
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

void read_choices(JsonCursor& cursor, ChatAnswer& answer) {
  if (cursor.peek() != '[') {
    cursor.skip();
    return;
  }
  answer.has_choices = true;
  cursor.begin_array();
  while (cursor.next_element()) read_choice(cursor, answer.choices);
}

std::optional<ChatAnswer> read_answer(std::string_view json) {
  JsonCursor cursor(json);
  ChatAnswer answer;
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

// What stands between the quotes; a list of parts gives the texts of its parts.
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

std::string_view legacy_reason(std::string_view raw) {
  if (raw == "\"model_length\"") return "\"length\"";  // Mistral's word for the end of the context
  return raw == "\"tool_calls\"" || raw == "\"function_call\"" ? "\"stop\"" : raw;
}

void append_choice(std::string& out, std::string_view index, std::string_view text_body, std::string_view reason) {
  out.append("{\"index\":").append(index).append(",\"text\":\"").append(text_body);
  out.append("\",\"logprobs\":null,\"finish_reason\":").append(legacy_reason(reason)).append("}");
}

// Everything up to the choices, which the caller appends.
void append_head(std::string& out, std::string_view id, std::string_view created, std::string_view model) {
  out.append("{\"id\":").append(id.empty() ? "\"cmpl-nemo\"" : id);
  out.append(",\"object\":\"text_completion\",\"created\":").append(created.empty() ? "0" : created);
  out.append(",\"model\":").append(model.empty() ? "\"\"" : model).append(",\"choices\":[");
}

// One stream. Chunks that upstream sends without id, model or time carry those that came before.
class ChatToCompletions final : public stream::Translator {
 public:
  explicit ChatToCompletions(Fences fences) : m_fences(fences) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    if (event.data.empty()) {
      out.append(event.raw);
      return;
    }
    const auto chunk = event.event == "error" ? std::nullopt : read_answer(event.data);
    if (!chunk || chunk->has_error || !(chunk->has_choices || !chunk->usage.empty())) {
      // [DONE], errors, and what nobody can read.
      release(out);
      out.append(event.raw);
      m_done = m_done || event.data == "[DONE]";
      return;
    }
    keep(m_id, chunk->id);
    keep(m_created, chunk->created);
    keep(m_model, chunk->model);
    append_chunk(*chunk, out);
  }

  void finish(std::string& out) override {
    release(out);
    if (!m_done) out.append(k_openai_end);
  }
  void break_off(const Error& error, std::string& out) override {
    release(out);
    out.append(error_event(error));
  }

 private:
  struct Filtered {
    std::string index;
    FenceFilter filter;
  };

  void release(std::string& out) {
    std::string choices;
    for (Filtered& filtered : m_filtered) {
      std::string text;
      filtered.filter.finish(text);
      if (text.empty()) continue;
      if (!choices.empty()) choices.push_back(',');
      append_choice(choices, filtered.index, quoted_body(text), "null");
    }
    if (!choices.empty()) append_event(choices, {}, out);
  }

  static void keep(std::string& last, std::string_view value) {
    if (!value.empty() && last != value) last = value;
  }

  static std::string quoted_body(std::string_view text) {
    std::string out;
    append_json_escaped(out, text);
    return out;
  }

  FenceFilter& filter_of(std::string_view index) {
    for (Filtered& filtered : m_filtered) {
      if (filtered.index == index) return filtered.filter;
    }
    m_filtered.push_back({std::string(index), {}});
    return m_filtered.back().filter;
  }

  std::string text_of(const ChatChoice& choice, bool is_last) {
    std::string body = content_body(choice.content);
    if (m_fences == Fences::keep) return body;
    std::string text;
    FenceFilter& filter = filter_of(choice.index);
    filter.push(unescape(body), text);
    if (is_last) filter.finish(text);
    return quoted_body(text);
  }

  void append_chunk(const ChatAnswer& chunk, std::string& out) {
    std::string choices;
    for (const ChatChoice& choice : chunk.choices) {
      const bool is_last = choice.finish_reason != "null";
      const std::string text = text_of(choice, is_last);
      if (text.empty() && !is_last) continue;
      if (!choices.empty()) choices.push_back(',');
      append_choice(choices, choice.index, text, choice.finish_reason);
    }
    if (!choices.empty() || !chunk.usage.empty()) append_event(choices, chunk.usage, out);
  }

  void append_event(std::string_view choices, std::string_view usage, std::string& out) const {
    out.append("data: ");
    const std::size_t begin = out.size();
    append_head(out, m_id, m_created, m_model);
    out.append(choices).append("]");
    if (!usage.empty()) out.append(",\"usage\":").append(usage);
    // A value that came over several data lines has line ends between its parts; one line is sent.
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), '\n', ' ');
    out.append("}\n\n");
  }

  Fences m_fences;
  std::string m_id, m_created, m_model;  // raw JSON
  std::vector<Filtered> m_filtered;
  bool m_done = false;
};

}  // namespace

Result<std::string> chat_answer_to_completions(std::string_view answer_json, Fences fences) {
  const auto answer = read_answer(answer_json);
  if (!answer || !answer->has_choices) {
    return fail(ErrorKind::upstream_error, "the upstream's answer is not a chat completion");
  }
  std::string out;
  out.reserve(answer_json.size() + 256);
  append_head(out, answer->id, answer->created, answer->model);
  for (std::size_t i = 0; i < answer->choices.size(); ++i) {
    const ChatChoice& choice = answer->choices[i];
    std::string text = content_body(choice.content);
    if (fences == Fences::strip) {
      FenceFilter filter;
      std::string stripped;
      filter.push(unescape(text), stripped);
      filter.finish(stripped);
      text.clear();
      append_json_escaped(text, stripped);
    }
    if (i != 0) out.push_back(',');
    append_choice(out, choice.index, text, choice.finish_reason);
  }
  constexpr std::string_view k_none = R"({"prompt_tokens":0,"completion_tokens":0,"total_tokens":0})";
  return out.append("],\"usage\":").append(answer->usage.empty() ? k_none : answer->usage).append("}");
}

std::unique_ptr<stream::Translator> make_chat_to_completions_translator(Fences fences) {
  return std::make_unique<ChatToCompletions>(fences);
}

}  // namespace nemo::protocol
