// Chat answers and chunks in the legacy shape. Values go over as they stand: nothing is decoded unless the text is to
// be cleaned.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/protocol/json_text.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/completion_parts.h"
#include "daemon/protocol/translate/completions_to_chat.h"
#include "shared/json_escape.h"

namespace nemo::protocol {
namespace {

constexpr std::string_view k_stop = "\"stop\"";

std::string_view legacy_reason(std::string_view raw) {
  if (raw == "\"model_length\"") return "\"length\"";  // Mistral's word for the end of the context
  return raw == "\"tool_calls\"" || raw == "\"function_call\"" ? k_stop : raw;
}

std::string quoted_body(std::string_view text) {
  std::string out;
  append_json_escaped(out, text);
  return out;
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

std::string usage_json(const call::Usage& usage) {
  return "{\"prompt_tokens\":" + std::to_string(usage.input_tokens) +
         ",\"completion_tokens\":" + std::to_string(usage.output_tokens) +
         ",\"total_tokens\":" + std::to_string(usage.input_tokens + usage.output_tokens) + "}";
}

// One stream. Chunks that upstream sends without id, model or time carry those that came before.
class ChatToCompletions final : public stream::Translator {
 public:
  ChatToCompletions(std::shared_ptr<const Cleaning> cleaning, std::int64_t choices)
      : m_cleaning(std::move(cleaning)), m_choices(choices) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    if (event.data.empty()) {
      out.append(event.raw);
      return;
    }
    const auto chunk = event.event == "error" ? std::nullopt : read_completion_parts(event.data);
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
  bool is_satisfied() const override { return m_cleaning && m_over >= m_choices; }
  void end_early(const call::Usage* usage, std::string& out) override {
    if (usage != nullptr) append_event({}, usage_json(*usage), out);
    finish(out);
  }

 private:
  struct Cleaned {
    std::string index;
    AnswerCleaner cleaner;
    bool is_over = false;  // the client knows that nothing follows
  };

  void release(std::string& out) {
    std::string choices;
    for (Cleaned& cleaned : m_cleaned) {
      if (cleaned.is_over) continue;
      std::string text;
      cleaned.cleaner.finish(text);
      if (text.empty()) continue;
      if (!choices.empty()) choices.push_back(',');
      append_choice(choices, cleaned.index, quoted_body(text), "null");
    }
    if (!choices.empty()) append_event(choices, {}, out);
  }

  static void keep(std::string& last, std::string_view value) {
    if (!value.empty() && last != value) last = value;
  }

  Cleaned& cleaned_of(std::string_view index) {
    for (Cleaned& cleaned : m_cleaned) {
      if (cleaned.index == index) return cleaned;
    }
    m_cleaned.push_back({std::string(index), AnswerCleaner(m_cleaning)});
    return m_cleaned.back();
  }

  void append_cleaned(const CompletionChoice& choice, std::string& choices) {
    Cleaned& cleaned = cleaned_of(choice.index);
    if (cleaned.is_over) return;
    std::string text;
    cleaned.cleaner.push(unescape(content_body(choice.content)), text);
    const bool is_last = choice.finish_reason != "null";
    if (is_last) cleaned.cleaner.finish(text);
    const bool has_stopped = cleaned.cleaner.has_stopped();
    cleaned.is_over = is_last || has_stopped;
    if (cleaned.is_over) ++m_over;
    if (text.empty() && !cleaned.is_over) return;
    if (!choices.empty()) choices.push_back(',');
    append_choice(choices, choice.index, quoted_body(text), has_stopped ? k_stop : choice.finish_reason);
  }

  void append_chunk(const CompletionParts& chunk, std::string& out) {
    std::string choices;
    for (const CompletionChoice& choice : chunk.choices) {
      if (m_cleaning) {
        append_cleaned(choice, choices);
        continue;
      }
      const std::string text = content_body(choice.content);
      if (text.empty() && choice.finish_reason == "null") continue;
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

  std::shared_ptr<const Cleaning> m_cleaning;  // null: nothing is to go
  std::string m_id, m_created, m_model;        // raw JSON
  std::int64_t m_choices;                      // that were asked for
  std::int64_t m_over = 0;                     // of those
  std::vector<Cleaned> m_cleaned;
  bool m_done = false;
};

}  // namespace

Result<std::string> chat_answer_to_completions(std::string_view answer_json,
                                               const std::shared_ptr<const Cleaning>& cleaning) {
  const auto answer = read_completion_parts(answer_json);
  if (!answer || !answer->has_choices) {
    return fail(ErrorKind::upstream_error, "the upstream's answer is not a chat completion");
  }
  std::string out;
  out.reserve(answer_json.size() + 256);
  append_head(out, answer->id, answer->created, answer->model);
  for (std::size_t i = 0; i < answer->choices.size(); ++i) {
    const CompletionChoice& choice = answer->choices[i];
    std::string text = content_body(choice.content);
    std::string_view reason = choice.finish_reason;
    if (cleaning) {
      AnswerCleaner cleaner(cleaning);
      std::string cleaned;
      cleaner.push(unescape(text), cleaned);
      cleaner.finish(cleaned);
      text = quoted_body(cleaned);
      if (cleaner.has_stopped()) reason = k_stop;
    }
    if (i != 0) out.push_back(',');
    append_choice(out, choice.index, text, reason);
  }
  constexpr std::string_view k_none = R"({"prompt_tokens":0,"completion_tokens":0,"total_tokens":0})";
  return out.append("],\"usage\":").append(answer->usage.empty() ? k_none : answer->usage).append("}");
}

std::unique_ptr<stream::Translator> make_chat_to_completions_translator(std::shared_ptr<const Cleaning> cleaning,
                                                                        std::int64_t choices) {
  return std::make_unique<ChatToCompletions>(std::move(cleaning), choices);
}

}  // namespace nemo::protocol
