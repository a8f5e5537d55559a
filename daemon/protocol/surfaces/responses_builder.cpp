#include "daemon/protocol/surfaces/responses_builder.h"

#include <algorithm>
#include <utility>

#include "daemon/protocol/field_edit.h"

namespace nemo::protocol {
namespace {

// The last event repeats all of it, so it is held; no model says this much in one answer.
constexpr std::size_t k_longest_answer = std::size_t{16} << 20U;
constexpr std::size_t k_most_items = 1024;    // an upstream that never stops opening new ones
constexpr std::size_t k_bytes_per_token = 4;  // where upstream does not count, as the ledger estimates too

constexpr std::string_view k_no_logprobs = R"(,"logprobs":[])";

std::string text_part(std::string_view body) {
  return R"({"type":"output_text","text":")" + std::string(body) + R"(","annotations":[],"logprobs":[]})";
}
std::string refusal_part(std::string_view body) {
  return R"({"type":"refusal","refusal":")" + std::string(body) + "\"}";
}
std::string reasoning_part(std::string_view body) {
  return R"({"type":"reasoning_text","text":")" + std::string(body) + "\"}";
}
std::string message_item(std::string_view id, std::string_view status, std::string_view parts) {
  std::string out = R"({"id":")" + std::string(id);
  out.append(R"(","type":"message","status":")").append(status);
  return out.append(R"(","role":"assistant","content":[)").append(parts).append("]}");
}
std::string reasoning_item(std::string_view id, const CarriedThoughts& thoughts) {
  std::string out = R"({"id":")" + std::string(id) + R"(","type":"reasoning","summary":[],"content":[)";
  if (!thoughts.reasoning.empty()) out.append(reasoning_part(thoughts.reasoning));
  out.append("]");
  if (!thoughts.empty()) out.append(",\"encrypted_content\":").append(pack_thoughts(thoughts));
  return out.append("}");
}
std::string quoted_field(std::string_view name, std::string_view body) {
  return ",\"" + std::string(name) + "\":\"" + std::string(body) + "\"";
}
std::string content_field(std::size_t place) {
  return ",\"content_index\":" + std::to_string(place);
}
void append_item(std::string& list, std::string_view item) {
  if (!list.empty()) list.push_back(',');
  list.append(item);
}

}  // namespace

ResponseBuilder::ResponseBuilder(const Telling& telling, ResponseEvents events)
    : m_shell(telling), m_tools(telling.body), m_events(events), m_prompt_bytes(telling.spec.prompt_bytes) {}

bool ResponseBuilder::take(const ChatPiece& piece, std::string& out) {
  begin(out);
  if (!piece.reasoning.empty()) add_reasoning(piece.reasoning, out);
  if (!piece.thinking_blocks.empty()) add_thinking_blocks(piece.thinking_blocks, out);
  if (!piece.text.empty()) add_text(Part::text, piece.text, out);
  if (!piece.refusal.empty()) add_text(Part::refusal, piece.refusal, out);
  for (std::size_t i = 0; i < piece.tools.size(); ++i) add_call(piece.tools[i], i, out);
  if (!piece.finish_reason.empty()) m_finish_reason = piece.finish_reason;
  if (piece.usage) m_usage = piece.usage;
  return m_bytes <= k_longest_answer && m_items.size() <= k_most_items;
}

void ResponseBuilder::complete(std::string& out) {
  if (m_over) return;
  begin(out);
  const bool is_whole = final_state({}).incomplete_reason.empty();
  // What was cut off is what was said last.
  const bool in_call = !m_calls.empty() && m_text.kind == Text::none;
  end_text(is_whole ? "completed" : "incomplete", out);
  for (OpenCall& call : m_calls) {
    const bool is_cut = !is_whole && in_call && &call == &m_calls.back();
    end_call(call, is_cut ? "incomplete" : "completed", out);
  }
  add_signatures(out);
  m_over = true;
  const std::string output = joined_output();
  const ResponseState state = final_state(output);
  emit_response(is_whole ? "response.completed" : "response.incomplete", state, out);
}

void ResponseBuilder::fail(std::string_view code, std::string_view message, std::string& out) {
  if (m_over) return;
  begin(out);
  m_over = true;
  const std::string output = joined_output();
  const std::string error = response_error(code, message);
  ResponseState state;
  state.status = "failed";
  state.error = error;
  state.output = output;
  if (m_usage) state.usage = m_usage;
  emit_response("response.failed", state, out);
}

void ResponseBuilder::append_response(std::string& out) const {
  const std::string output = joined_output();
  m_shell.append(final_state(output), out);
}

void ResponseBuilder::begin(std::string& out) {
  if (std::exchange(m_begun, true)) return;
  emit_response("response.created", {}, out);
  emit_response("response.in_progress", {}, out);
}

void ResponseBuilder::add_reasoning(std::string_view body, std::string& out) {
  open_text(Text::reasoning, out);
  m_bytes += body.size();
  if (m_text.thoughts.reasoning.empty()) {
    emit_at("response.content_part.added", m_text.place, m_text.id,
            content_field(0) + ",\"part\":" + reasoning_part({}), out);
  }
  m_text.thoughts.reasoning.append(body);
  emit_at("response.reasoning_text.delta", m_text.place, m_text.id, content_field(0) + quoted_field("delta", body),
          out);
}

void ResponseBuilder::add_thinking_blocks(std::string_view blocks, std::string& out) {
  open_text(Text::reasoning, out);
  m_bytes += blocks.size();
  append_item(m_text.thoughts.thinking_blocks, blocks);
}

void ResponseBuilder::add_text(Part part, std::string_view body, std::string& out) {
  open_text(Text::message, out);
  open_part(part, out);
  m_bytes += body.size();
  m_text.body.append(body);
  const bool is_text = part == Part::text;
  std::string fields = content_field(m_text.part_place) + quoted_field("delta", body);
  if (is_text) fields.append(k_no_logprobs);
  emit_at(is_text ? "response.output_text.delta" : "response.refusal.delta", m_text.place, m_text.id, fields, out);
}

void ResponseBuilder::open_part(Part part, std::string& out) {
  if (m_text.part == part) return;
  end_part(out);
  m_text.part = part;
  const std::string empty = part == Part::text ? text_part({}) : refusal_part({});
  emit_at("response.content_part.added", m_text.place, m_text.id,
          content_field(m_text.part_place) + ",\"part\":" + empty, out);
}

void ResponseBuilder::open_text(Text kind, std::string& out) {
  if (m_text.kind == kind) return;
  end_text("completed", out);
  m_text.kind = kind;
  m_text.place = next_place();
  m_text.id = m_shell.item_id(kind == Text::message ? "msg_" : "rs_", m_text.place);
  add_item(m_text.place,
           kind == Text::message ? message_item(m_text.id, "in_progress", {}) : reasoning_item(m_text.id, {}), out);
}

void ResponseBuilder::end_part(std::string& out) {
  if (m_text.part == Part::none) return;
  const bool is_text = std::exchange(m_text.part, Part::none) == Part::text;
  const std::string body = std::exchange(m_text.body, {});
  const std::string place = content_field(m_text.part_place++);
  const std::string part = is_text ? text_part(body) : refusal_part(body);
  if (is_text) {
    emit_at("response.output_text.done", m_text.place, m_text.id,
            place + quoted_field("text", body) + std::string(k_no_logprobs), out);
  } else {
    emit_at("response.refusal.done", m_text.place, m_text.id, place + quoted_field("refusal", body), out);
  }
  emit_at("response.content_part.done", m_text.place, m_text.id, place + ",\"part\":" + part, out);
  append_item(m_text.parts, part);
}

void ResponseBuilder::end_text(std::string_view status, std::string& out) {
  if (m_text.kind == Text::reasoning) end_reasoning(out);
  if (m_text.kind == Text::message) {
    end_part(out);
    end_item(m_text.place, message_item(m_text.id, status, m_text.parts), out);
  }
  m_text = {};
}

void ResponseBuilder::end_reasoning(std::string& out) {
  const std::string& body = m_text.thoughts.reasoning;
  if (!body.empty()) {
    emit_at("response.reasoning_text.done", m_text.place, m_text.id, content_field(0) + quoted_field("text", body),
            out);
    emit_at("response.content_part.done", m_text.place, m_text.id,
            content_field(0) + ",\"part\":" + reasoning_part(body), out);
  }
  end_item(m_text.place, reasoning_item(m_text.id, m_text.thoughts), out);
}

// Some upstreams leave the index out, or give every call the same.
ResponseBuilder::OpenCall* ResponseBuilder::find_call(const ChatToolPiece& piece, std::string_view index) {
  const auto same =
      std::find_if(m_calls.rbegin(), m_calls.rend(), [&](const OpenCall& call) { return call.index == index; });
  if (same == m_calls.rend()) return nullptr;
  const bool is_other = !piece.name.empty() && !piece.id.empty() && !same->call_id.empty() && piece.id != same->call_id;
  return is_other ? nullptr : &*same;
}

void ResponseBuilder::add_call(const ChatToolPiece& piece, std::size_t nth, std::string& out) {
  const std::string index = piece.index.empty() ? std::to_string(nth) : std::string(piece.index);
  OpenCall* call = find_call(piece, index);
  if (call == nullptr) {
    if (m_calls.size() == k_most_items) return;
    end_text("completed", out);
    call = &m_calls.emplace_back();
    call->index = index;
  }
  m_bytes += piece.name.size() + piece.arguments.size() + piece.extra.size();
  if (call->call_id.empty()) call->call_id = piece.id;
  if (!piece.extra.empty()) call->extra = piece.extra;
  if (!call->is_told && !piece.name.empty()) {
    call->tool = m_tools.find(piece.name);
    tell_call(*call, out);
  }
  if (!piece.arguments.empty()) add_arguments(*call, piece.arguments, out);
}

void ResponseBuilder::tell_call(OpenCall& call, std::string& out) {
  call.is_told = true;
  call.place = next_place();
  const bool is_custom = call.tool.kind == ResponseTool::Kind::custom;
  call.id = m_shell.item_id(is_custom ? "ctc_" : "fc_", call.place);
  if (call.call_id.empty()) call.call_id = m_shell.item_id("call_", call.place);
  add_item(call.place, call_item(call, "in_progress", "\"\""), out);
  // What came before its name.
  if (const std::string early = std::exchange(call.arguments, {}); !early.empty()) add_arguments(call, early, out);
}

void ResponseBuilder::add_arguments(OpenCall& call, std::string_view body, std::string& out) {
  call.arguments.append(body);
  // The text for a custom tool stands inside the arguments: it can be told once they are whole.
  if (!call.is_told || call.tool.kind == ResponseTool::Kind::custom) return;
  emit_at("response.function_call_arguments.delta", call.place, call.id, quoted_field("delta", body), out);
}

void ResponseBuilder::end_call(OpenCall& call, std::string_view status, std::string& out) {
  if (!call.is_told) tell_call(call, out);
  if (call.tool.kind == ResponseTool::Kind::custom) {
    end_custom_call(call, status, out);
    return;
  }
  // Clients parse the arguments: they are JSON for a tool that takes none, too.
  if (call.arguments.empty()) add_arguments(call, "{}", out);
  std::string fields = quoted_field("name", call.tool.name) + quoted_field("arguments", call.arguments);
  emit_at("response.function_call_arguments.done", call.place, call.id, fields, out);
  end_item(call.place, call_item(call, status, "\"" + call.arguments + "\""), out);
}

void ResponseBuilder::end_custom_call(OpenCall& call, std::string_view status, std::string& out) {
  const std::string input = custom_input(call.arguments);
  emit_at("response.custom_tool_call_input.delta", call.place, call.id, ",\"delta\":" + input, out);
  emit_at("response.custom_tool_call_input.done", call.place, call.id, ",\"input\":" + input, out);
  end_item(call.place, call_item(call, status, input), out);
}

// The model's signatures of its calls, for the next request.
void ResponseBuilder::add_signatures(std::string& out) {
  CarriedThoughts thoughts;
  for (const OpenCall& call : m_calls) {
    if (!call.extra.empty()) append_item(thoughts.extra_contents, "\"" + call.call_id + "\":" + call.extra);
  }
  if (thoughts.empty()) return;
  const std::size_t place = next_place();
  const std::string id = m_shell.item_id("rs_", place);
  add_item(place, reasoning_item(id, {}), out);
  end_item(place, reasoning_item(id, thoughts), out);
}

// `given` is a raw text: what the tool is called with.
std::string ResponseBuilder::call_item(const OpenCall& call, std::string_view status, std::string_view given) const {
  const bool is_custom = call.tool.kind == ResponseTool::Kind::custom;
  std::string out = R"({"id":")" + call.id;
  out.append(is_custom ? R"(","type":"custom_tool_call")" : R"(","type":"function_call")");
  out.append(quoted_field("status", status)).append(quoted_field("call_id", call.call_id));
  out.append(quoted_field("name", call.tool.name));
  if (!call.tool.space.empty()) out.append(quoted_field("namespace", call.tool.space));
  return out.append(is_custom ? ",\"input\":" : ",\"arguments\":").append(given).append("}");
}

void ResponseBuilder::emit(std::string_view type, std::string_view fields, std::string& out) {
  if (m_events == ResponseEvents::omit) return;
  out.append("event: ").append(type).append("\ndata: {\"type\":\"").append(type).append("\",\"sequence_number\":");
  out.append(std::to_string(m_sequence++)).append(fields).append("}\n\n");
}

void ResponseBuilder::emit_at(std::string_view type, std::size_t place, std::string_view id, std::string_view fields,
                              std::string& out) {
  if (m_events == ResponseEvents::omit) return;
  std::string all = ",\"output_index\":" + std::to_string(place) + quoted_field("item_id", id);
  emit(type, all.append(fields), out);
}

void ResponseBuilder::add_item(std::size_t place, std::string_view item, std::string& out) {
  emit("response.output_item.added", ",\"output_index\":" + std::to_string(place) + ",\"item\":" + std::string(item),
       out);
}

void ResponseBuilder::end_item(std::size_t place, std::string item, std::string& out) {
  emit("response.output_item.done", ",\"output_index\":" + std::to_string(place) + ",\"item\":" + item, out);
  m_items[place] = std::move(item);
}

void ResponseBuilder::emit_response(std::string_view type, const ResponseState& state, std::string& out) {
  if (m_events == ResponseEvents::omit) return;
  std::string fields = ",\"response\":";
  m_shell.append(state, fields);
  emit(type, fields, out);
}

std::size_t ResponseBuilder::next_place() {
  m_items.emplace_back();
  return m_items.size() - 1;
}

std::string ResponseBuilder::joined_output() const {
  std::string out;
  for (const std::string& item : m_items) {
    if (!item.empty()) append_item(out, item);
  }
  return out;
}

ResponseState ResponseBuilder::final_state(const std::string& output) const {
  ResponseState state;
  const bool is_cut = m_finish_reason == "length" || m_finish_reason == "model_length";
  if (is_cut) state.incomplete_reason = "max_output_tokens";
  if (m_finish_reason == "content_filter") state.incomplete_reason = "content_filter";
  state.status = state.incomplete_reason.empty() ? "completed" : "incomplete";
  state.output = output;
  state.usage = usage();
  return state;
}

// Clients expect numbers; where upstream gave none they are estimated.
call::Usage ResponseBuilder::usage() const {
  if (m_usage) return *m_usage;
  call::Usage estimated;
  estimated.source = call::UsageSource::estimated;
  estimated.input_tokens = static_cast<std::int64_t>((m_prompt_bytes + k_bytes_per_token - 1) / k_bytes_per_token);
  estimated.output_tokens = static_cast<std::int64_t>((m_bytes + k_bytes_per_token - 1) / k_bytes_per_token);
  return estimated;
}

}  // namespace nemo::protocol
