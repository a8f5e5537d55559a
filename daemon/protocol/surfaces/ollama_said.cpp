#include "daemon/protocol/surfaces/ollama_said.h"

#include <algorithm>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/translate/message_to_chat.h"

namespace nemo::protocol {
namespace {

bool is_filled_text(std::string_view raw) {
  return raw.size() > 2 && raw.front() == '"';
}

std::string_view given(std::string_view raw) {
  return raw == "null" ? std::string_view() : raw;
}

void read_message(JsonCursor& cursor, HubSaid& said) {
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = given(cursor.take());
    if (key == "content") said.content = value;
    if (key == "refusal") said.refusal = value;
    if (key == "tool_calls") said.tool_calls = value;
    // Two names for the same; some servers send both.
    if (key == "reasoning_content" || (key == "reasoning" && said.thinking.empty())) said.thinking = value;
  });
}

// Index 0 is all that was asked for.
void read_choice(std::string_view raw, HubSaid& said) {
  const auto index = find_member(raw, "index");
  if (index && *index != "0" && *index != "null") return;
  JsonCursor cursor(raw);
  each_field(cursor, [&](std::string_view key) {
    if (key == "delta" || key == "message") {
      read_message(cursor, said);
      return;
    }
    const std::string_view value = given(cursor.take());
    if (key == "text") said.content = value;
    if (key == "finish_reason") said.finish_reason = value;
  });
}

Error too_much(const char* what) {
  return fail(ErrorKind::upstream_error, std::string("upstream calls tools with more ") + what + " than can be kept");
}

}  // namespace

std::string HubSaid::text() const {
  std::string body;
  if (is_filled_text(content)) body = text_body(content);
  if (!content.empty() && content.front() == '[') {
    JsonCursor cursor(content);
    each_element(cursor, [&] { body.append(text_body(find_member(cursor.take(), "text").value_or(""))); });
  }
  return body.append(text_body(refusal));
}

std::optional<HubSaid> read_hub_said(std::string_view json) {
  HubSaid said;
  JsonCursor cursor(json);
  if (!cursor.begin_object()) return std::nullopt;
  while (const auto key = cursor.next_field()) {
    if (*key == "choices") {
      said.has_choices = each_element(cursor, [&] { read_choice(cursor.take(), said); });
      continue;
    }
    const std::string_view value = given(cursor.take());
    if (*key == "usage") said.has_usage = !value.empty();
    if (*key == "error") said.has_error = !value.empty();
  }
  if (!cursor.at_end()) return std::nullopt;
  return said;
}

Status ToolCallGatherer::add(std::string_view tool_calls) {
  JsonCursor cursor(tool_calls);
  Status added = Done{};
  each_element(cursor, [&] {
    const std::string_view raw = cursor.take();
    if (added) added = add_piece(raw);
  });
  return added;
}

Status ToolCallGatherer::add_piece(std::string_view raw) {
  std::optional<std::int64_t> index;
  std::string_view id;
  std::string_view name;
  std::string_view arguments;
  JsonCursor cursor(raw);
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = given(cursor.take());
    if (key == "index") index = read_integer(value);
    if (key == "id") id = value;
    if (key != "function") return;
    JsonCursor inner(value);
    each_field(inner, [&](std::string_view field) {
      const std::string_view part = given(inner.take());
      if (field == "name") name = part;
      if (field == "arguments") arguments = part;
    });
  });
  Call* call = find(index, id, name);
  if (call == nullptr) {
    if (m_calls.size() == k_most_calls) return too_much("calls");
    call = &m_calls.emplace_back();
    call->index = index.value_or(static_cast<std::int64_t>(m_calls.size()) - 1);
  }
  // Some servers give the arguments as the object that they are.
  const bool is_object = !arguments.empty() && arguments.front() == '{';
  const std::string quoted = is_object ? quote_json(arguments) : std::string();
  if (is_filled_text(id) && call->id.empty()) call->id = id;
  if (is_filled_text(name) && call->name.empty()) call->name = name;
  const std::string_view piece = text_body(is_object ? quoted : arguments);
  m_bytes += id.size() + name.size() + piece.size();
  if (m_bytes > k_most_bytes) return too_much("bytes");
  call->arguments.append(piece);
  return Done{};
}

// The call that a piece goes on with. Some servers number all calls 0 and tell them apart by their ids; some give no
// number and name each new one.
ToolCallGatherer::Call* ToolCallGatherer::find(std::optional<std::int64_t> index, std::string_view id,
                                               std::string_view name) {
  if (m_calls.empty() || (!index && is_filled_text(name))) return nullptr;
  const auto found =
      std::find_if(m_calls.rbegin(), m_calls.rend(), [&](const Call& call) { return !index || call.index == *index; });
  if (found == m_calls.rend()) return nullptr;
  const bool is_another = is_filled_text(id) && !found->id.empty() && found->id != id;
  return is_another ? nullptr : &*found;
}

Result<std::string> ToolCallGatherer::take(Cut cut) {
  std::string list = "[";
  std::size_t place = 0;
  for (const Call& call : m_calls) {
    std::string arguments = unescape(call.arguments);
    if (arguments.find_first_not_of(" \t\r\n") == std::string::npos) arguments = "{}";
    JsonCursor cursor(arguments);
    const bool is_object = cursor.peek() == '{' && cursor.skip() && cursor.at_end();
    if ((!is_object || call.name.empty()) && cut == Cut::yes) continue;
    if (!is_object || call.name.empty()) {
      return fail(ErrorKind::upstream_error, "upstream called a tool with arguments that are no JSON object");
    }
    list.append(place == 0 ? "{" : ",{");
    if (!call.id.empty()) list.append("\"id\":").append(call.id).append(",");
    list.append("\"function\":{\"index\":").append(std::to_string(place++)).append(",\"name\":").append(call.name);
    list.append(",\"arguments\":").append(compact_json(arguments)).append("}}");
  }
  m_calls.clear();
  if (place == 0) return std::string();
  return list.append("]");
}

}  // namespace nemo::protocol
