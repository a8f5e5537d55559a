#include "daemon/protocol/surfaces/anthropic_blocks.h"

#include <algorithm>
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/surfaces/anthropic_answer.h"

namespace nemo::protocol {
namespace {

bool is_blank(std::string_view arguments) {
  ArgumentsScan scan;
  scan.feed(arguments);
  return !scan.has_begun();
}

}  // namespace

MessageBlocks::Block& MessageBlocks::last(Kind kind) {
  const bool goes_on = !m_blocks.empty() && m_blocks.back().kind == kind && !m_blocks.back().is_signed;
  if (!goes_on) m_blocks.emplace_back().kind = kind;
  return m_blocks.back();
}

void MessageBlocks::add_waiting(Block& block, std::string_view body) {
  block.waiting.append(body);
  m_waiting += body.size();
  if (m_waiting > k_most_waiting) m_fault = "the upstream's tool calls come too much at once";
}

void MessageBlocks::say(std::string_view body) {
  if (!body.empty()) add_waiting(last(Kind::text), body);
}

void MessageBlocks::think(std::string_view body) {
  if (!body.empty()) add_waiting(last(Kind::thinking), body);
}

void MessageBlocks::sign(std::string_view signature) {
  if (signature.empty()) return;
  Block& block = last(Kind::thinking);
  block.signature = signature;
  block.is_signed = true;
}

void MessageBlocks::add_whole(std::string_view block) {
  m_blocks.emplace_back().kind = Kind::whole;
  add_waiting(m_blocks.back(), block);
}

MessageBlocks::Block* MessageBlocks::block_of(const Call& call) {
  return call.place < m_ended ? nullptr : &m_blocks[call.place - m_ended];
}

// Servers differ: some give every call the index 0, or none; some repeat id and name with every piece.
MessageBlocks::Call* MessageBlocks::find_call(const CallPiece& piece) {
  if (!piece.index && piece.id.empty()) return m_calls.empty() || !piece.name.empty() ? nullptr : &m_calls.back();
  const auto found = std::find_if(m_calls.rbegin(), m_calls.rend(), [&](const Call& call) {
    if (piece.index && call.index != *piece.index) return false;
    return piece.id.empty() ? piece.index.has_value() : call.id == piece.id || (piece.index && call.id.empty());
  });
  if (found == m_calls.rend()) return nullptr;
  const Block* block = block_of(*found);
  const bool is_another = piece.id.empty() && !piece.name.empty() && (block == nullptr || is_complete(*block));
  return is_another ? nullptr : &*found;
}

MessageBlocks::Call* MessageBlocks::make_call(const CallPiece& piece) {
  if (m_calls.size() == k_most_calls) {
    m_fault = "the upstream's answer has more than 256 tool calls";
    return nullptr;
  }
  Call& call = m_calls.emplace_back();
  call.index = piece.index.value_or(static_cast<std::int64_t>(m_calls.size()) - 1);
  call.id = piece.id;
  call.place = m_ended + m_blocks.size();
  m_blocks.emplace_back().kind = Kind::tool;
  return &call;
}

void MessageBlocks::call(const CallPiece& piece) {
  if (m_fault != nullptr) return;
  Call* call = find_call(piece);
  if (call == nullptr) call = make_call(piece);
  if (call == nullptr) return;
  if (call->id.empty()) call->id = piece.id;
  const std::string quoted = piece.arguments.starts_with("{") ? quote_json(piece.arguments) : std::string();
  const std::string_view arguments = text_body(quoted.empty() ? piece.arguments : std::string_view(quoted));
  Block* block = block_of(*call);
  if (block == nullptr) {
    if (!is_blank(arguments)) m_fault = "the upstream adds to a tool call that was complete";
    return;
  }
  if (block->name.empty()) block->name = piece.name;
  if (block->id.empty()) block->id = piece.id;
  block->arguments.feed(arguments);
  add_waiting(*block, arguments);
}

bool MessageBlocks::is_complete(const Block& block) const {
  return block.kind != Kind::tool || block.arguments.is_complete();
}

void MessageBlocks::append_head(std::string_view event, std::string& out) const {
  out.append("event: ").append(event).append("\ndata: {\"type\":\"").append(event);
  out.append("\",\"index\":").append(std::to_string(m_ended));
}

void MessageBlocks::begin_first(std::string& out) {
  Block& block = m_blocks.front();
  if (std::exchange(block.has_begun, true)) return;
  append_head("content_block_start", out);
  out.append(",\"content_block\":");
  switch (block.kind) {
    case Kind::text:
      out.append(R"({"type":"text","text":""})");
      break;
    case Kind::thinking:
      out.append(R"({"type":"thinking","thinking":"","signature":""})");
      break;
    case Kind::tool:
      out.append(R"({"type":"tool_use","id":")");
      out.append(block.id.empty() ? made_tool_id(m_message, m_ended) : block.id);
      out.append("\",\"name\":\"").append(block.name).append("\",\"input\":{}}");
      break;
    case Kind::whole:
      out.append(block.waiting);
      m_waiting -= block.waiting.size();
      block.waiting.clear();
      break;
  }
  out.append("}\n\n");
}

void MessageBlocks::append_delta(std::string_view head, std::string_view body, std::string& out) const {
  append_head("content_block_delta", out);
  out.append(",\"delta\":{\"type\":").append(head).append(":\"").append(body).append("\"}}\n\n");
}

void MessageBlocks::show_first(std::string& out) {
  begin_first(out);
  Block& block = m_blocks.front();
  if (block.waiting.empty()) return;
  const std::string_view head = block.kind == Kind::text       ? R"("text_delta","text")"
                                : block.kind == Kind::thinking ? R"("thinking_delta","thinking")"
                                                               : R"("input_json_delta","partial_json")";
  append_delta(head, block.waiting, out);
  m_waiting -= block.waiting.size();
  block.waiting.clear();
}

void MessageBlocks::end_first(std::string& out) {
  const Block& block = m_blocks.front();
  // Clients parse what they were given: it must be an object for a tool that takes nothing, too.
  if (block.kind == Kind::tool && !block.arguments.has_begun()) {
    append_delta(R"("input_json_delta","partial_json")", "{}", out);
  }
  if (block.is_signed) append_delta(R"("signature_delta","signature")", block.signature, out);
  append_head("content_block_stop", out);
  out.append("}\n\n");
  drop_first();
}

void MessageBlocks::drop_first() {
  m_blocks.pop_front();
  ++m_ended;
}

void MessageBlocks::show(std::string& out) {
  while (!m_blocks.empty()) {
    const Block& first = m_blocks.front();
    if (first.kind == Kind::tool && first.name.empty()) return;  // a block begins with its name
    show_first(out);
    if (m_blocks.size() == 1 || !is_complete(first)) return;
    end_first(out);
  }
}

void MessageBlocks::show_all(std::string& out) {
  while (!m_blocks.empty()) {
    show_first(out);
    if (is_complete(m_blocks.front())) {
      end_first(out);
    } else {
      drop_first();
    }
  }
}

void MessageBlocks::end_all(std::string& out) {
  while (!m_blocks.empty()) {
    show_first(out);
    end_first(out);
  }
}

}  // namespace nemo::protocol
