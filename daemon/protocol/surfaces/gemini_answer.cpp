#include "daemon/protocol/surfaces/gemini_answer.h"

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/openai_answer.h"
#include "daemon/protocol/translate/message_to_chat.h"

namespace nemo::protocol {
namespace {

std::string_view take_given(JsonCursor& cursor) {
  const std::string_view raw = cursor.take();
  return raw == "null" ? std::string_view() : raw;
}

void read_message(JsonCursor& cursor, ChatChoice& choice) {
  each_field(cursor, [&](std::string_view key) {
    if (key == "content") {
      choice.content = take_given(cursor);
    } else if (key == "reasoning_content" || (key == "reasoning" && choice.reasoning.empty())) {
      choice.reasoning = take_given(cursor);
    } else if (key == "refusal") {
      choice.refusal = take_given(cursor);
    } else if (key == "tool_calls") {
      choice.tool_calls = take_given(cursor);
    } else {
      cursor.skip();
    }
  });
}

// {"google":{"thought_signature":"…"}}
std::string_view signature_in(std::string_view extra_content) {
  if (extra_content.empty() || extra_content.front() != '{') return {};
  const auto google = find_member(extra_content, "google");
  if (!google || google->front() != '{') return {};
  const std::string_view signature = find_member(*google, "thought_signature").value_or("");
  return text_body(signature).empty() ? std::string_view() : signature;
}

// A part of a content in parts; Mistral's reasoning is a list of texts inside one.
void read_part(JsonCursor& cursor, ChatText& said) {
  each_field(cursor, [&](std::string_view key) {
    if (key == "text") {
      said.text.append(text_body(cursor.take()));
    } else if (key == "thinking") {
      ChatText inner;
      if (cursor.peek() == '[') {
        each_element(cursor, [&] { read_part(cursor, inner); });
        said.thoughts.append(inner.text);
      } else {
        said.thoughts.append(text_body(cursor.take()));
      }
    } else {
      cursor.skip();
    }
  });
}

std::string candidates_of(JsonCursor& cursor, Thoughts thoughts) {
  std::string candidates;
  each_element(cursor, [&] {
    const ChatChoice choice = read_chat_choice(cursor);
    const ChatText said = read_chat_text(choice);
    GeminiParts parts;
    if (thoughts == Thoughts::show) parts.add_thought(said.thoughts);
    parts.add_text(said.text);
    Calls calls = Calls::readable;
    JsonCursor list(choice.tool_calls.empty() ? std::string_view("[]") : choice.tool_calls);
    each_element(list, [&] {
      const ChatCall call = read_chat_call(list);
      const bool is_object = !call.arguments.empty() && call.arguments.front() == '{';
      const std::string arguments = is_object ? std::string(call.arguments) : unescape(text_body(call.arguments));
      if (!parts.add_call(call.id, call.name, arguments, call.signature)) calls = Calls::malformed;
    });
    if (!candidates.empty()) candidates.push_back(',');
    append_candidate(parts.json(), gemini_finish_reason(choice.finish_reason, calls), choice.index, candidates);
  });
  return candidates;
}

}  // namespace

ChatChoice read_chat_choice(JsonCursor& cursor) {
  ChatChoice choice;
  each_field(cursor, [&](std::string_view key) {
    if (key == "delta" || key == "message") {
      read_message(cursor, choice);
    } else if (key == "finish_reason") {
      choice.finish_reason = take_given(cursor);
    } else if (key == "index") {
      choice.index = read_integer(cursor.take()).value_or(0);
    } else {
      cursor.skip();
    }
  });
  return choice;
}

ChatCall read_chat_call(JsonCursor& cursor) {
  ChatCall call;
  each_field(cursor, [&](std::string_view key) {
    if (key == "index") {
      call.index = read_integer(cursor.take());
    } else if (key == "id") {
      call.id = take_given(cursor);
    } else if (key == "extra_content") {
      call.signature = signature_in(cursor.take());
    } else if (key == "function") {
      each_field(cursor, [&](std::string_view name) {
        if (name == "name") {
          call.name = take_given(cursor);
        } else if (name == "arguments") {
          call.arguments = take_given(cursor);
        } else {
          cursor.skip();
        }
      });
    } else {
      cursor.skip();
    }
  });
  return call;
}

ChatText read_chat_text(const ChatChoice& choice) {
  ChatText said;
  said.thoughts = text_body(choice.reasoning);
  if (!choice.content.empty() && choice.content.front() == '[') {
    JsonCursor parts(choice.content);
    each_element(parts, [&] { read_part(parts, said); });
  } else {
    said.text = text_body(choice.content);
  }
  said.text.append(text_body(choice.refusal));
  return said;
}

void GeminiParts::add_text(std::string_view body) {
  if (body.empty()) return;
  m_parts.append(m_parts.empty() ? "{\"text\":\"" : ",{\"text\":\"").append(body).append("\"}");
}

void GeminiParts::add_thought(std::string_view body) {
  if (body.empty()) return;
  m_parts.append(m_parts.empty() ? "{\"text\":\"" : ",{\"text\":\"").append(body).append(R"(","thought":true})");
}

bool GeminiParts::add_call(std::string_view id, std::string_view name, std::string_view arguments,
                           std::string_view signature) {
  const bool is_blank = arguments.find_first_not_of(" \t\r\n") == std::string_view::npos || arguments == "null";
  JsonCursor cursor(arguments);
  if (text_body(name).empty()) return false;
  if (!is_blank) {
    const bool is_object = cursor.peek() == '{';
    cursor.skip();
    if (!is_object || !cursor.at_end()) return false;
  }
  m_parts.append(m_parts.empty() ? "{\"functionCall\":{" : ",{\"functionCall\":{");
  if (!text_body(id).empty()) m_parts.append("\"id\":").append(id).append(",");
  m_parts.append("\"name\":").append(name).append(",\"args\":").append(is_blank ? "{}" : compact_json(arguments));
  m_parts.append("}");
  if (!signature.empty()) m_parts.append(",\"thoughtSignature\":").append(signature);
  m_parts.append("}");
  return true;
}

std::string_view gemini_finish_reason(std::string_view raw, Calls calls) {
  const std::string_view reason = text_body(raw);
  if (reason == "length" || reason == "model_length") return "MAX_TOKENS";  // which is why a call may be cut off
  if (reason == "content_filter") return "SAFETY";
  if (calls == Calls::malformed) return "MALFORMED_FUNCTION_CALL";
  return reason == "error" ? "OTHER" : "STOP";
}

// Google's clients take a candidate without parts for a broken one.
void append_candidate(std::string_view parts, std::string_view reason, std::int64_t index, std::string& out) {
  out.append(R"({"content":{"parts":[)").append(parts.empty() ? R"({"text":""})" : parts);
  out.append(R"(],"role":"model"})");
  if (!reason.empty()) out.append(",\"finishReason\":\"").append(reason).append("\"");
  out.append(",\"index\":").append(std::to_string(index)).append("}");
}

std::string gemini_usage(const call::Usage& usage) {
  std::string out = "{\"promptTokenCount\":" + std::to_string(usage.input_tokens);
  out.append(",\"candidatesTokenCount\":").append(std::to_string(usage.output_tokens - usage.reasoning_tokens));
  if (usage.cached_tokens != 0) out.append(",\"cachedContentTokenCount\":").append(std::to_string(usage.cached_tokens));
  if (usage.reasoning_tokens != 0)
    out.append(",\"thoughtsTokenCount\":").append(std::to_string(usage.reasoning_tokens));
  out.append(",\"totalTokenCount\":").append(std::to_string(usage.input_tokens + usage.output_tokens));
  return out.append("}");
}

Result<std::string> chat_answer_to_gemini(std::string_view answer, std::string_view model, Thoughts thoughts) {
  const auto facts = read_answer_facts(answer);
  const auto choices = facts ? find_member(answer, "choices") : std::nullopt;
  if (!choices || choices->front() != '[') {
    return fail(ErrorKind::upstream_error, "Upstream's answer is not a chat completion.");
  }
  JsonCursor cursor(*choices);
  std::string out = "{\"candidates\":[" + candidates_of(cursor, thoughts) + "]";
  if (facts->usage) out.append(",\"usageMetadata\":").append(gemini_usage(*facts->usage));
  out.append(",\"modelVersion\":").append(quote_json(model));
  const std::string_view id = find_member(answer, "id").value_or("");
  if (!text_body(id).empty()) out.append(",\"responseId\":").append(id);
  return out.append("}");
}

}  // namespace nemo::protocol
