#include "daemon/gateway/hub_completion.h"

#include <chrono>
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/openai.h"

namespace nemo::gateway {
namespace {

constexpr std::string_view k_no_usage = R"("usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0})";

std::string_view between_quotes(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"') return {};
  return raw.substr(1, raw.size() - 2);
}

std::string head_of(const CompletionTeller::To& to) {
  const auto created = std::chrono::duration_cast<std::chrono::seconds>(to.at.time_since_epoch()).count();
  return R"({"id":"cmpl-)" + to.id + R"(","object":"text_completion","created":)" + std::to_string(created) +
         R"(,"model":)" + protocol::quote_json(to.model) + ",";
}

std::string choices(std::string_view text, std::string_view finish_reason) {
  const std::string reason = finish_reason.empty() ? "null" : protocol::quote_json(finish_reason);
  return R"("choices":[{"text":)" + protocol::quote_json(text) + R"(,"index":0,"logprobs":null,"finish_reason":)" +
         reason + "}]";
}

protocol::Telling telling_of(const CompletionTeller::To& to) {
  return {to.body, to.spec, to.at, to.model};
}

}  // namespace

CompletionPiece read_completion_piece(std::string_view json) {
  CompletionPiece piece;
  const auto all = protocol::find_member(json, "choices");
  if (!all) return piece;
  protocol::JsonCursor cursor(*all);
  if (!cursor.begin_array()) return piece;
  while (cursor.next_element()) {
    const std::string_view choice = cursor.take();
    const auto index = protocol::find_member(choice, "index");
    if (index && *index != "0") continue;
    if (const auto text = protocol::find_member(choice, "text")) piece.raw_text = between_quotes(*text);
    if (const auto reason = protocol::find_member(choice, "finish_reason")) {
      piece.finish_reason = between_quotes(*reason);
    }
    return piece;
  }
  return piece;
}

CompletionTeller::CompletionTeller(const To& to)
    : m_head(head_of(to)),
      m_states_usage(to.form.hub.has_value() || to.spec.wants_usage),
      m_shows_cost(to.spec.wants_usage && !to.form.hub) {
  if (to.form.hub) m_translator = to.form.hub->translator(telling_of(to));
}

Result<std::string> CompletionTeller::whole(const To& to, std::string_view text, std::string_view finish_reason) {
  std::string answer = head_of(to) + choices(text, finish_reason) + "," + std::string(k_no_usage) + "}";
  if (!to.form.hub) return answer;
  return to.form.hub->answer(answer, telling_of(to));
}

std::string CompletionTeller::event(std::string_view text, std::string_view finish_reason) const {
  return "data: " + m_head + choices(text, finish_reason) + "}\n\n";
}

void CompletionTeller::say(std::string_view text, std::string& out) {
  pass(event(text, {}), out);
}

void CompletionTeller::finish(std::string_view finish_reason, std::string& out) {
  std::string events = event("", finish_reason);
  if (m_states_usage) {
    std::string usage = "data: " + m_head + R"("choices":[],)" + std::string(k_no_usage) + "}\n\n";
    events.append(m_shows_cost ? protocol::with_cost(usage, NanoUsd{}) : usage);
  }
  events.append(protocol::k_openai_end);
  pass(events, out);
  if (m_translator) m_translator->finish(out);
}

void CompletionTeller::break_off(const Error& error, std::string& out) {
  if (m_translator) {
    m_translator->break_off(error, out);
  } else {
    out.append(protocol::error_event(error));
  }
}

void CompletionTeller::pass(std::string_view events, std::string& out) {
  if (!m_translator) {
    out.append(events);
    return;
  }
  m_scanner.feed(events);
  while (const auto event = m_scanner.next()) m_translator->translate(*event, out);
}

}  // namespace nemo::gateway
