#include "daemon/protocol/surfaces/anthropic_answer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/message_to_chat.h"

namespace nemo::protocol {
namespace {

std::string_view given(std::string_view object, std::string_view key) {
  if (object.empty() || object.front() != '{') return {};
  const std::string_view value = find_member(object, key).value_or(std::string_view());
  return value == "null" ? std::string_view() : value;
}

// Raw values of choice 0 and its message; empty: not there, or null.
struct Choice {
  std::string_view content, refusal, reasoning, thinking_blocks, tool_calls, finish_reason;
};

void read_message(JsonCursor& cursor, Choice& choice) {
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    if (value == "null") return;
    if (key == "content") {
      choice.content = value;
    } else if (key == "refusal") {
      choice.refusal = value;
    } else if (key == "reasoning_content" || (key == "reasoning" && choice.reasoning.empty())) {
      choice.reasoning = value;
    } else if (key == "thinking_blocks") {
      choice.thinking_blocks = value;
    } else if (key == "tool_calls") {
      choice.tool_calls = value;
    }
  });
}

struct WholeAnswer {
  std::string_view id;  // raw
  std::optional<Choice> choice;
};

std::optional<WholeAnswer> read_answer(std::string_view json) {
  WholeAnswer answer;
  JsonCursor cursor(json);
  if (!cursor.begin_object()) return std::nullopt;
  while (const auto key = cursor.next_field()) {
    if (*key == "id") {
      answer.id = cursor.take();
    } else if (*key == "choices") {
      each_element(cursor, [&] {
        Choice choice;
        each_field(cursor, [&](std::string_view name) {
          if (name == "message") {
            read_message(cursor, choice);
          } else if (name == "finish_reason") {
            choice.finish_reason = cursor.take();
          } else {
            cursor.skip();
          }
        });
        if (!answer.choice) answer.choice = choice;
      });
    } else {
      cursor.skip();
    }
  }
  if (!cursor.at_end()) return std::nullopt;
  return answer;
}

// The message's content blocks, with commas.
class Blocks {
 public:
  void add(std::string_view block) {
    if (!m_json.empty()) m_json.push_back(',');
    m_json.append(block);
  }
  void add_text(std::string_view body) {
    if (!body.empty()) add(R"({"type":"text","text":")" + std::string(body) + "\"}");
  }
  void add_thinking(std::string_view body) {
    if (!body.empty()) add(thinking_block(body, {}));
  }
  const std::string& json() const { return m_json; }

 private:
  std::string m_json;
};

// Signed thinking stands in for the reasoning, which is the same text.
void add_thinking(const Choice& choice, Blocks& blocks) {
  if (!choice.thinking_blocks.empty() && choice.thinking_blocks.front() == '[' && choice.thinking_blocks.size() > 2) {
    JsonCursor cursor(choice.thinking_blocks);
    each_element(cursor, [&] {
      const MessageBlock block = read_message_block(cursor);
      if (block.type == "\"redacted_thinking\"") {
        blocks.add(redacted_thinking_block(text_body(block.data)));
      } else {
        blocks.add(thinking_block(text_body(block.thinking), text_body(block.signature)));
      }
    });
    return;
  }
  blocks.add_thinking(text_body(choice.reasoning));
}

// One block for each run of the same kind: a text in parts is one text.
void add_content(const Choice& choice, Blocks& blocks) {
  std::string run;
  Spoken kind = Spoken::text;
  const auto end_run = [&] {
    kind == Spoken::text ? blocks.add_text(run) : blocks.add_thinking(run);
    run.clear();
  };
  for (const SpokenPiece& piece : read_spoken(choice.content)) {
    if (piece.kind != kind) end_run();
    kind = piece.kind;
    run.append(piece.body);
  }
  end_run();
  blocks.add_text(text_body(choice.refusal));
}

std::string input_of(std::string_view arguments) {
  if (!arguments.empty() && arguments.front() == '{') return std::string(arguments);  // servers that make no text of it
  const std::string text = read_text(arguments).value_or(std::string());
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return "{}";
  JsonCursor cursor(text);
  const bool is_object = cursor.peek() == '{' && cursor.skip() && cursor.at_end();
  return is_object ? text : "{\"INVALID_JSON\":" + quote_json(text) + "}";
}

std::size_t add_tools(const Choice& choice, std::string_view message_id_body, Blocks& blocks) {
  std::size_t count = 0;
  JsonCursor cursor(choice.tool_calls);
  if (cursor.peek() != '[') return 0;
  each_element(cursor, [&] {
    const std::string_view call = cursor.take();
    const std::string_view function = given(call, "function");
    std::string id = quoted_text(given(call, "id"));
    if (id == "\"\"") id = "\"" + made_tool_id(message_id_body, count) + "\"";
    ++count;
    blocks.add(R"({"type":"tool_use","id":)" + id + ",\"name\":" + quoted_text(given(function, "name")) +
               ",\"input\":" + input_of(given(function, "arguments")) + "}");
  });
  return count;
}

void add_parts(std::string_view list, Spoken kind, std::vector<SpokenPiece>& pieces) {
  JsonCursor cursor(list);
  each_element(cursor, [&] {
    std::string_view type, text, thinking;
    each_field(cursor, [&](std::string_view key) {
      const std::string_view value = cursor.take();
      if (key == "type") type = value;
      if (key == "text") text = value;
      if (key == "thinking") thinking = value;
    });
    // Mistral's reasoning is a list of texts in its own turn.
    if (type == "\"thinking\"" && kind == Spoken::text) {
      if (thinking.starts_with("[")) {
        add_parts(thinking, Spoken::thinking, pieces);
      } else if (!text_body(thinking).empty()) {
        pieces.push_back({Spoken::thinking, text_body(thinking)});
      }
    } else if (!text_body(text).empty()) {
      pieces.push_back({kind, text_body(text)});
    }
  });
}

}  // namespace

std::string message_id(std::string_view chat_id, WallTime at) {
  constexpr std::string_view k_prefix = "chatcmpl-";
  std::string_view body = text_body(chat_id);
  if (body.starts_with(k_prefix)) body.remove_prefix(k_prefix.size());
  const std::string made = std::to_string(at.time_since_epoch().count());
  return "\"msg_" + std::string(body.empty() ? std::string_view(made) : body) + "\"";
}

std::string made_tool_id(std::string_view message_id_body, std::size_t place) {
  return "toolu_" + std::string(message_id_body) + "_" + std::to_string(place);
}

std::string_view message_stop_reason(std::string_view finish_reason, ToolCalls calls) {
  if (finish_reason == "\"length\"") return "\"max_tokens\"";
  if (finish_reason == "\"content_filter\"") return "\"refusal\"";
  return calls == ToolCalls::some ? "\"tool_use\"" : "\"end_turn\"";
}

std::string message_usage(const call::Usage& usage) {
  const std::int64_t rest = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens;
  std::string out = "{\"input_tokens\":" + std::to_string(std::max<std::int64_t>(rest, 0));
  out.append(",\"cache_creation_input_tokens\":").append(std::to_string(usage.cache_write_tokens));
  out.append(",\"cache_read_input_tokens\":").append(std::to_string(usage.cached_tokens));
  return out.append(",\"output_tokens\":").append(std::to_string(usage.output_tokens)).append("}");
}

std::optional<call::Usage> read_chat_usage(std::string_view json) {
  auto facts = read_answer_facts(json);
  if (!facts || !facts->usage) return std::nullopt;
  const std::string_view details = given(given(json, "usage"), "prompt_tokens_details");
  const std::int64_t written = read_integer(given(details, "cache_write_tokens")).value_or(0);
  const std::int64_t uncached = facts->usage->input_tokens - facts->usage->cached_tokens;
  facts->usage->cache_write_tokens = std::clamp<std::int64_t>(written, 0, uncached);
  return facts->usage;
}

std::vector<SpokenPiece> read_spoken(std::string_view raw_content) {
  std::vector<SpokenPiece> pieces;
  if (!text_body(raw_content).empty()) {
    pieces.push_back({Spoken::text, text_body(raw_content)});
  } else if (raw_content.starts_with("[")) {
    add_parts(raw_content, Spoken::text, pieces);
  }
  return pieces;
}

Result<std::string> chat_answer_to_message(std::string_view chat_answer, const Telling& telling) {
  const auto answer = read_answer(chat_answer);
  if (!answer || !answer->choice)
    return fail(ErrorKind::upstream_error, "the upstream's answer is not a chat completion");
  const Choice& choice = *answer->choice;
  const std::string id = message_id(answer->id, telling.at);
  Blocks blocks;
  add_thinking(choice, blocks);
  add_content(choice, blocks);
  const std::size_t tools = add_tools(choice, text_body(id).substr(4), blocks);
  const ToolCalls calls = tools == 0 ? ToolCalls::none : ToolCalls::some;
  std::string out = "{\"id\":" + id + R"(,"type":"message","role":"assistant","model":)" + quote_json(telling.model);
  out.append(",\"content\":[").append(blocks.json()).append("],\"stop_reason\":");
  out.append(message_stop_reason(choice.finish_reason, calls)).append(",\"stop_sequence\":null,\"usage\":");
  out.append(message_usage(read_chat_usage(chat_answer).value_or(call::Usage())));
  return out.append("}");
}

}  // namespace nemo::protocol
