#include "daemon/protocol/surfaces/ollama_answer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "daemon/call/usage.h"
#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/surfaces/ollama_request.h"
#include "daemon/protocol/surfaces/ollama_said.h"
#include "daemon/protocol/translate/request_fields.h"
#include "shared/clock.h"

namespace nemo::protocol {
namespace {

using Nanos = std::chrono::nanoseconds;
using Cut = ToolCallGatherer::Cut;

WallTime now() {
  return SystemClock().wall();
}

std::int64_t nanos_between(WallTime from, WallTime to) {
  return std::max<std::int64_t>(0, std::chrono::duration_cast<Nanos>(to - from).count());
}

// Ollama has no word for the end by a tool call.
std::string_view done_reason(std::string_view raw) {
  if (text_body(raw).empty() || raw == "\"tool_calls\"" || raw == "\"function_call\"") return "\"stop\"";
  return raw == "\"model_length\"" ? "\"length\"" : raw;
}

Cut cut_of(std::string_view finish_reason) {
  return done_reason(finish_reason) == "\"length\"" ? Cut::yes : Cut::no;
}

// How much of a text's end, as it stands between its quotes, is the first half of a character whose second half is in
// the next piece: a high surrogate's escape.
std::size_t half_character(std::string_view body) {
  constexpr std::size_t k_escape = 6;
  if (body.size() < k_escape) return 0;
  const std::size_t at = body.size() - k_escape;
  const auto lower = [&](std::size_t offset) { return body[at + offset] | 0x20; };
  const bool is_high = body[at] == '\\' && body[at + 1] == 'u' && lower(2) == 'd' &&
                       (body[at + 3] == '8' || body[at + 3] == '9' || lower(3) == 'a' || lower(3) == 'b');
  if (!is_high) return 0;
  std::size_t backslashes = 0;
  while (backslashes < at && body[at - backslashes - 1] == '\\') ++backslashes;
  return backslashes % 2 == 0 ? k_escape : 0;
}

// A request without a prompt has a model loaded, or let go by a keep_alive of nothing. Here there is nothing to load,
// and clients are told what they wait for. Empty: it asks for an answer.
std::string_view loading_reason(const Telling& telling) {
  if (!telling.spec.only_warms_up) return {};
  constexpr std::array<std::string_view, 4> k_nothing{"0", "\"0\"", "\"0s\"", "\"0m\""};
  const std::string_view keep_alive = given_value(telling.body, "keep_alive");
  const bool lets_go = std::find(k_nothing.begin(), k_nothing.end(), keep_alive) != k_nothing.end();
  return lets_go ? "\"unload\"" : "\"load\"";
}

// What the lines of one answer have in common.
class OllamaWriter {
 public:
  OllamaWriter(OllamaShape shape, const Telling& telling)
      : m_shape(shape),
        m_model(quote_json(telling.model.empty() ? telling.spec.model : telling.model)),
        m_asked_at(telling.at),
        m_loading(loading_reason(telling)),
        m_shows_thinking(given_value(telling.body, "think") != "false") {}

  bool shows_thinking() const { return m_shows_thinking; }

  // Everything but the end: `text` and `thinking` as they stand between their quotes, `tool_calls` a list or empty.
  void append_said(std::string_view text, std::string_view thinking, std::string_view tool_calls,
                   std::string& out) const {
    out.append("{\"model\":").append(m_model).append(",\"created_at\":\"").append(to_rfc3339(now()));
    const bool is_chat = m_shape == OllamaShape::chat;
    out.append(is_chat ? R"(","message":{"role":"assistant","content":")" : R"(","response":")").append(text);
    out.append("\"");
    if (!thinking.empty()) out.append(",\"thinking\":\"").append(thinking).append("\"");
    if (!tool_calls.empty()) out.append(",\"tool_calls\":").append(tool_calls);
    if (is_chat) out.append("}");
  }

  // From the call to its first words upstream read, from there it wrote; what was loaded took no time. Nobody is left
  // to divide by zero.
  void append_end(std::string_view finish_reason, const call::Usage& usage, std::optional<WallTime> first_at,
                  std::string& out) const {
    if (!m_loading.empty()) {
      out.append(",\"done_reason\":").append(m_loading).append(",\"done\":true}");
      return;
    }
    const WallTime at = now();
    const std::int64_t reading = first_at ? nanos_between(m_asked_at, *first_at) : 0;
    const std::int64_t writing = std::max<std::int64_t>(1, nanos_between(first_at.value_or(m_asked_at), at));
    const auto put = [&out](std::string_view key, std::int64_t value) {
      out.append(",\"").append(key).append("\":").append(std::to_string(value));
    };
    out.append(",\"done\":true,\"done_reason\":").append(done_reason(finish_reason));
    put("total_duration", reading + writing);
    put("load_duration", 0);
    put("prompt_eval_count", usage.input_tokens);
    put("prompt_eval_duration", reading);
    put("eval_count", usage.output_tokens);
    put("eval_duration", writing);
    out.append("}");
  }

 private:
  OllamaShape m_shape;
  std::string m_model;
  WallTime m_asked_at;
  std::string_view m_loading;
  bool m_shows_thinking;
};

// One stream.
class HubToOllama final : public stream::Translator {
 public:
  HubToOllama(OllamaShape shape, const Telling& telling) : m_writer(shape, telling) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    if (m_over || event.data.empty()) return;
    if (event.data.starts_with("[DONE]")) return finish(out);
    const auto said = read_hub_said(event.data);
    const bool is_error = event.event == "error" || (said && said->has_error);
    if (!said && !is_error) {
      return break_off(fail(ErrorKind::upstream_error, "an event of upstream's stream cannot be read"), out);
    }
    if (is_error) {
      return break_off(fail(ErrorKind::upstream_error, read_complaint(event.data).message), out);
    }
    if (said->has_usage) {
      if (const auto facts = read_answer_facts(event.data); facts && facts->usage) m_usage = *facts->usage;
    }
    append_said(*said, out);
  }

  void finish(std::string& out) override {
    if (m_over) return;
    append_calls(out);
    if (std::exchange(m_over, true)) return;
    m_writer.append_said({}, {}, {}, out);
    m_writer.append_end(m_finish_reason, m_usage, m_first_at, out);
    out.append("\n");
  }

  void break_off(const Error& error, std::string& out) override {
    if (!std::exchange(m_over, true)) out.append(ollama_error_line(error));
  }

 private:
  void append_said(const HubSaid& said, std::string& out) {
    std::string text = std::exchange(m_half, std::string()).append(said.text());
    if (said.finish_reason.empty()) {
      m_half = text.substr(text.size() - half_character(text));
      text.resize(text.size() - m_half.size());
    }
    const std::string_view thinking = m_writer.shows_thinking() ? text_body(said.thinking) : std::string_view();
    if (!text.empty() || !text_body(said.thinking).empty() || !said.tool_calls.empty()) note_begin();
    if (!text.empty() || !thinking.empty()) append_line(text, thinking, {}, out);
    if (!said.tool_calls.empty()) {
      if (const Status added = m_calls.add(said.tool_calls); !added) return break_off(added.error(), out);
    }
    if (said.finish_reason.empty()) return;
    m_finish_reason = said.finish_reason;
    append_calls(out);
  }

  void append_calls(std::string& out) {
    if (m_calls.empty()) return;
    const auto list = m_calls.take(cut_of(m_finish_reason));
    if (!list) return break_off(list.error(), out);
    if (!list->empty()) append_line({}, {}, *list, out);
  }

  void append_line(std::string_view text, std::string_view thinking, std::string_view calls, std::string& out) {
    m_writer.append_said(text, thinking, calls, out);
    out.append(",\"done\":false}\n");
  }

  void note_begin() {
    if (!m_first_at) m_first_at = now();
  }

  OllamaWriter m_writer;
  ToolCallGatherer m_calls;
  std::string m_half;           // of a character; strict readers take no line with half of one
  std::string m_finish_reason;  // raw
  call::Usage m_usage;
  std::optional<WallTime> m_first_at;
  bool m_over = false;  // nothing more goes out
};

}  // namespace

Result<std::string> tell_in_ollama(std::string_view hub_answer, const Telling& telling, OllamaShape shape) {
  const auto said = read_hub_said(hub_answer);
  const auto facts = read_answer_facts(hub_answer);
  if (!said || !said->has_choices || !facts) {
    return fail(ErrorKind::upstream_error, "upstream's answer holds no choices");
  }
  ToolCallGatherer calls;
  if (const Status added = calls.add(said->tool_calls); !added) return added.error();
  const auto list = calls.take(cut_of(said->finish_reason));
  if (!list) return list.error();
  const OllamaWriter writer(shape, telling);
  std::string out;
  writer.append_said(said->text(), writer.shows_thinking() ? text_body(said->thinking) : std::string_view(), *list,
                     out);
  writer.append_end(said->finish_reason, facts->usage.value_or(call::Usage{}), {}, out);
  return out;
}

std::unique_ptr<stream::Translator> make_ollama_translator(const Telling& telling, OllamaShape shape) {
  return std::make_unique<HubToOllama>(shape, telling);
}

}  // namespace nemo::protocol
