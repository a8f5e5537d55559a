#include "daemon/protocol/surfaces/gemini_stream.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/openai_answer.h"
#include "daemon/protocol/surfaces/gemini_errors.h"

namespace nemo::protocol {
namespace {

// The bounds keep an upstream that never ends its answer from filling the memory. Real arguments are some kilobytes, a
// whole file at most.
constexpr std::size_t k_most_choices = 128;  // what OpenAI takes as n
constexpr std::size_t k_most_calls = 1'024;
constexpr std::size_t k_most_gathered = std::size_t{16} << 20U;

struct GatheredCall {
  std::optional<std::int64_t> index;
  std::string id, name, signature;  // raw
  std::string arguments;            // between the quotes, or an object as it stands
};

struct Gathered {
  std::int64_t index = 0;
  std::string finish_reason;  // raw
  std::vector<GatheredCall> calls;
};

// One stream.
class ChatToGemini final : public stream::Translator {
 public:
  ChatToGemini(std::string_view model, Thoughts thoughts) : m_model(quote_json(model)), m_thoughts(thoughts) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    if (m_over || event.data.empty()) return;
    if (event.data == "[DONE]") {
      finish(out);
      return;
    }
    JsonCursor cursor(event.data);
    std::string candidates;
    bool is_error = event.event == "error";
    std::string_view usage;
    each_field(cursor, [&](std::string_view key) {
      if (key == "choices") {
        each_element(cursor, [&] { take(read_chat_choice(cursor), candidates); });
      } else if (key == "id") {
        const std::string_view id = cursor.take();
        if (m_id.empty() && !text_body(id).empty()) m_id = id;
      } else if (key == "usage") {
        usage = cursor.take();
      } else if (key == "error") {
        is_error = is_error || cursor.take() != "null";
      } else {
        cursor.skip();
      }
    });
    if (is_error) {
      break_off(fail(ErrorKind::upstream_error, read_complaint(event.data).message), out);
    } else if (!cursor.at_end()) {
      break_off(fail(ErrorKind::upstream_error, "an event of the upstream's stream cannot be read"), out);
    } else {
      if (!usage.empty() && usage.front() == '{') read_usage(event.data);
      if (!candidates.empty()) append_event(candidates, {}, out);
      if (m_overflows) {
        break_off(fail(ErrorKind::upstream_error, "the answer's function calls are too large to be told whole"), out);
      }
    }
  }

  void finish(std::string& out) override {
    if (m_over) return;
    if (m_gathered.empty()) m_gathered.emplace_back();
    std::string candidates;
    for (const Gathered& one : m_gathered) {
      if (!candidates.empty()) candidates.push_back(',');
      append_last(one, candidates);
    }
    append_event(candidates, m_usage ? gemini_usage(*m_usage) : std::string(), out);
    m_over = true;
  }

  // Calls that are not whole are of no use to anybody.
  void break_off(const Error& error, std::string& out) override {
    if (!m_over) out.append(gemini_error_event(error));
    m_over = true;
  }

 private:
  void take(const ChatChoice& choice, std::string& candidates) {
    Gathered* gathered = gathered_for(choice.index);
    if (gathered == nullptr) return;
    GeminiParts parts;
    if (choice.reasoning.empty() && choice.refusal.empty() &&
        (choice.content.empty() || choice.content.front() == '"')) {
      parts.add_text(text_body(choice.content));
    } else {
      const ChatText said = read_chat_text(choice);
      if (m_thoughts == Thoughts::show) parts.add_thought(said.thoughts);
      parts.add_text(said.text);
    }
    if (!parts.empty()) {
      if (!candidates.empty()) candidates.push_back(',');
      append_candidate(parts.json(), {}, choice.index, candidates);
    }
    if (!choice.tool_calls.empty()) gather(choice.tool_calls, *gathered);
    if (!text_body(choice.finish_reason).empty()) gathered->finish_reason = choice.finish_reason;
  }

  Gathered* gathered_for(std::int64_t index) {
    const auto found =
        std::find_if(m_gathered.begin(), m_gathered.end(), [&](const Gathered& g) { return g.index == index; });
    if (found != m_gathered.end()) return &*found;
    if (m_gathered.size() == k_most_choices) return nullptr;
    m_gathered.emplace_back().index = index;
    return &m_gathered.back();
  }

  void gather(std::string_view raw, Gathered& gathered) {
    JsonCursor cursor(raw);
    each_element(cursor, [&] {
      const ChatCall piece = read_chat_call(cursor);
      m_gathered_bytes += piece.arguments.size() + piece.id.size() + piece.name.size() + piece.signature.size();
      GatheredCall* call = call_for(piece, gathered);
      if (call == nullptr || m_gathered_bytes > k_most_gathered) {
        m_overflows = true;
        return;
      }
      if (call->id.empty()) call->id = text_body(piece.id).empty() ? std::string_view() : piece.id;
      if (call->name.empty()) call->name = text_body(piece.name).empty() ? std::string_view() : piece.name;
      if (!piece.signature.empty()) call->signature = piece.signature;
      const bool is_object = !piece.arguments.empty() && piece.arguments.front() == '{';
      const std::string quoted = is_object ? quote_json(piece.arguments) : std::string();
      call->arguments.append(text_body(is_object ? std::string_view(quoted) : piece.arguments));
    });
  }

  // The last that has its index; a new one where another id begins, for some servers give all calls the same index.
  GatheredCall* call_for(const ChatCall& piece, Gathered& gathered) {
    auto& calls = gathered.calls;
    const auto found = std::find_if(calls.rbegin(), calls.rend(), [&](const GatheredCall& c) {
      return !piece.index || !c.index || *c.index == *piece.index;
    });
    const bool begins = !text_body(piece.id).empty() && !text_body(piece.name).empty();
    const bool is_other = found != calls.rend() && begins && !found->id.empty() && found->id != piece.id;
    if (found != calls.rend() && !is_other) return &*found;
    if (calls.size() == k_most_calls) return nullptr;
    calls.emplace_back().index = piece.index;
    return &calls.back();
  }

  static void append_last(const Gathered& gathered, std::string& candidates) {
    GeminiParts parts;
    Calls calls = Calls::readable;
    for (const GatheredCall& call : gathered.calls) {
      if (!parts.add_call(call.id, call.name, unescape(call.arguments), call.signature)) calls = Calls::malformed;
    }
    append_candidate(parts.json(), gemini_finish_reason(gathered.finish_reason, calls), gathered.index, candidates);
  }

  void read_usage(std::string_view data) {
    JsonCursor cursor(data);
    if (auto usage = read_answer_object(cursor).usage) m_usage = *usage;
  }

  void append_event(std::string_view candidates, const std::string& usage, std::string& out) const {
    out.append("data: {\"candidates\":[").append(candidates).append("]");
    if (!usage.empty()) out.append(",\"usageMetadata\":").append(usage);
    out.append(",\"modelVersion\":").append(m_model);
    if (!m_id.empty()) out.append(",\"responseId\":").append(m_id);
    out.append("}\n\n");
  }

  std::string m_model;  // in its quotes
  Thoughts m_thoughts;
  std::string m_id;  // raw
  std::vector<Gathered> m_gathered;
  std::size_t m_gathered_bytes = 0;
  std::optional<call::Usage> m_usage;
  bool m_overflows = false;
  bool m_over = false;  // nothing more goes out
};

}  // namespace

std::unique_ptr<stream::Translator> make_chat_to_gemini_translator(std::string_view model, Thoughts thoughts) {
  return std::make_unique<ChatToGemini>(model, thoughts);
}

}  // namespace nemo::protocol
