#include "daemon/protocol/translate/messages_native.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/pass_through.h"
#include "daemon/protocol/surfaces/anthropic_blocks.h"
#include "daemon/protocol/surfaces/anthropic_errors.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::int64_t k_least_thinking = 1'024;  // tokens; Anthropic refuses a smaller budget

// Thinking must fit in what is left of max_tokens: half of it, or there is none.
void fit_thinking(const RequestBody& body, std::int64_t max_tokens, FieldEdit& edit) {
  const std::string_view thinking = given_value(body, "thinking");
  if (thinking.empty() || thinking.front() != '{') return;
  const auto budget = read_integer(find_member(thinking, "budget_tokens").value_or(std::string_view()));
  if (!budget || *budget < max_tokens) return;
  auto fields = RequestBody::parse(std::string(thinking));
  if (max_tokens / 2 < k_least_thinking || !fields) {
    edit.remove("thinking");
    return;
  }
  FieldEdit smaller;
  smaller.set("budget_tokens", std::to_string(max_tokens / 2));
  edit.set("thinking", smaller.apply(*fields));
}

void cap_max_tokens(const RequestBody& body, std::int64_t cap, FieldEdit& edit) {
  const auto asked = read_integer(given_value(body, "max_tokens"));
  if (asked && *asked <= cap) return;
  edit.set("max_tokens", std::to_string(cap));
  fit_thinking(body, cap, edit);
}

// metadata.tags are Nemo's; Anthropic refuses what it does not know in there.
void strip_extensions(const RequestBody& body, FieldEdit& edit) {
  constexpr std::array<const char*, 4> k_ours{"nemo_cache", "nemo_tags", "nemo_lane", "nemo_fallbacks"};
  for (const char* key : k_ours) {
    if (body.find(key) != nullptr) edit.remove(key);
  }
  const std::string_view metadata = given_value(body, "metadata");
  if (metadata.empty() || metadata.front() != '{' || !find_member(metadata, "tags")) return;
  const auto fields = RequestBody::parse(std::string(metadata));
  if (!fields) return;
  FieldEdit without;
  without.remove("tags");
  edit.set("metadata", without.apply(*fields));
}

// Reasoning of another model, which a chat's answer brought to the client: Claude refuses what it has not signed.
bool is_unsigned_thinking(std::string_view block) {
  return find_member(block, "type") == "\"thinking\"" && find_member(block, "signature").value_or("\"\"") == "\"\"";
}

std::string without_unsigned_thinking(std::string_view content) {
  std::string kept;
  JsonCursor cursor(content);
  each_element(cursor, [&] {
    const std::string_view block = cursor.take();
    if (!is_unsigned_thinking(block)) kept.append(kept.empty() ? "[" : ",").append(block);
  });
  return kept.empty() ? kept : kept.append("]");
}

// The turn as it may be sent; empty: nothing is left of it.
std::string mend_turn(std::string_view raw, MessagesFor target) {
  FieldEdit edit;
  const std::string_view role = find_member(raw, "role").value_or(std::string_view());
  if (target == MessagesFor::vertex && role == "\"system\"") edit.set("role", "\"user\"");
  const std::string_view content = find_member(raw, "content").value_or(std::string_view());
  if (role == "\"assistant\"" && content.starts_with("[")) {
    std::string kept = without_unsigned_thinking(content);
    if (kept.empty()) return kept;
    if (kept.size() != content.size()) edit.set("content", std::move(kept));
  }
  const auto turn = edit.empty() ? Result<RequestBody>(Error{}) : RequestBody::parse(std::string(raw));
  return turn.ok() ? edit.apply(*turn) : std::string(raw);
}

// nullopt: they go as they came, which is the rule. A chat that began with another model may hold its reasoning; and
// Vertex knows no system turns among the others, which Claude Code sends.
std::optional<std::string> mend_messages(std::string_view messages, MessagesFor target) {
  const auto holds = [&](std::string_view word) { return messages.find(word) != std::string_view::npos; };
  const bool may_be_unsigned = holds("\"thinking\"") && (holds("\"signature\":\"\"") || holds("\"signature\": \"\""));
  if (!may_be_unsigned && (target == MessagesFor::anthropic || !holds("\"system\""))) return std::nullopt;
  std::string mended;
  JsonCursor cursor(messages);
  each_element(cursor, [&] {
    const std::string turn = mend_turn(cursor.take(), target);
    if (!turn.empty()) mended.append(mended.empty() ? "[" : ",").append(turn);
  });
  if (mended.empty()) return std::nullopt;
  return mended.append("]");
}

// Bytes as they come. What it adds is the end that a stream lacks, and Nemo's own errors.
class NativeMessages final : public stream::Translator {
 public:
  void translate(const stream::SseEvent& event, std::string& out) override {
    if (trim(event.data) == "[DONE]") return;  // no event of Anthropic's; gateways that speak its dialect add it
    m_has_ended = m_has_ended || is_stop(event);
    m_pass->translate(event, out);
  }
  void finish(std::string& out) override {
    m_pass->finish(out);
    if (!m_has_ended) out.append(k_message_stop);
  }
  void break_off(const Error& error, std::string& out) override { m_pass->break_off(error, out); }
  // In Anthropic's own words where upstream has them; else (Google's envelope) told anew.
  void complain(const stream::SseEvent& event, const Error& error, std::string& out) override {
    const std::string_view type = find_member(event.data, "type").value_or(std::string_view());
    if (event.event == "error" && type == "\"error\"") {
      m_pass->complain(event, error, out);
    } else {
      m_pass->break_off(error, out);
    }
  }

 private:
  static bool is_stop(const stream::SseEvent& event) {
    if (!event.event.empty()) return event.event == "message_stop";
    if (event.data.find("message_stop") == std::string_view::npos) return false;
    const auto read = read_messages_event(event.event, event.data);
    return read && read->kind == MessagesEventKind::message_stop;
  }

  std::unique_ptr<stream::Translator> m_pass = make_pass_through({{}, messages_error_event});
  bool m_has_ended = false;
};

class MessagesConversation final : public Conversation {
 public:
  MessagesConversation(const Talk& talk, MessagesFor target) : m_talk(talk), m_target(target) {}

  Result<std::string> request(std::string_view model, std::optional<std::int64_t> output_cap) override {
    const RequestBody& body = m_talk.body;
    FieldEdit edit;
    if (m_target == MessagesFor::anthropic) {
      if (read_text(given_value(body, "model")) != model) edit.set("model", quote_json(model));
    } else {
      edit_for_vertex(edit);
    }
    if (m_talk.extensions == Extensions::strip) strip_extensions(body, edit);
    if (auto mended = mend_messages(given_value(body, "messages"), m_target)) edit.set("messages", std::move(*mended));
    if (output_cap) cap_max_tokens(body, std::max<std::int64_t>(*output_cap, 1), edit);
    return edit.empty() ? std::string(body.bytes()) : edit.apply(body);
  }

  std::unique_ptr<stream::ChunkReader> chunk_reader() const override { return make_messages_event_reader(); }
  std::unique_ptr<stream::Translator> stream_translator() const override { return std::make_unique<NativeMessages>(); }
  stream::UsageFrames usage_frames() const override { return stream::UsageFrames::show; }
  std::optional<AnswerFacts> facts(std::string_view answer) const override { return read_message_facts(answer); }
  Result<std::string> answer(std::string upstream_answer) const override { return upstream_answer; }

 private:
  void edit_for_vertex(FieldEdit& edit) const {
    if (m_talk.body.find("model") != nullptr) edit.remove("model");
    // A beta: it is asked for in a header that does not go there, and without it the field is refused.
    if (m_talk.body.find("context_management") != nullptr) edit.remove("context_management");
    if (given_value(m_talk.body, "anthropic_version").empty()) {
      edit.set("anthropic_version", std::string(k_vertex_version));
    }
  }

  Talk m_talk;
  MessagesFor m_target;
};

}  // namespace

std::unique_ptr<Conversation> make_messages_conversation(const Talk& talk, MessagesFor target) {
  return std::make_unique<MessagesConversation>(talk, target);
}

}  // namespace nemo::protocol
