// A chat completion request as Anthropic's. Fields that Anthropic does not know are left out, for it refuses them.
#include <algorithm>
#include <array>
#include <charconv>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/translate/anthropic.h"
#include "daemon/protocol/translate/chat_to_messages_blocks.h"
#include "daemon/protocol/translate/chat_to_messages_model.h"
#include "daemon/protocol/translate/chat_to_messages_tools.h"
#include "daemon/protocol/translate/chat_to_messages_turns.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

// Anthropic wants the longest answer stated. Every Claude model can write this much.
constexpr std::int64_t k_default_max_tokens = 4096;
constexpr std::size_t k_longest_user_id = 256;  // what Anthropic takes

// Anthropic's own structured outputs are taken by some models only; the instruction is understood by all of them, and
// nothing but the model's obedience enforces it.
constexpr std::string_view k_json_instruction =
    "Answer with one JSON object and nothing else: no text before or after it, no Markdown fence.";
constexpr std::string_view k_schema_instruction = " The object must be valid against this JSON schema: ";

struct Effort {
  std::string_view asked;
  std::int64_t budget;     // tokens; 0: no thinking
  std::string_view level;  // of output_config
};
constexpr std::array<Effort, 5> k_efforts{{
    {"\"minimal\"", 0, "low"},
    {"\"low\"", 1024, "low"},
    {"\"medium\"", 8192, "medium"},
    {"\"high\"", 24576, "high"},
    {"\"xhigh\"", 24576, "high"},
}};

bool holds_something(std::string_view raw) {
  return !raw.empty() && raw != "false" && raw != "[]" && raw != "{}" && raw != "0";
}

Status check_chat_fields(const RequestBody& body, const call::CallSpec& spec) {
  if (spec.choices > 1) return refuse_field("n", "more than one answer a call cannot be served by this model");
  if (given_value(body, "logprobs") == "true") return refuse_field("logprobs", "cannot be served by this model");
  if (holds_something(given_value(body, "top_logprobs"))) {
    return refuse_field("top_logprobs", "cannot be served by this model");
  }
  if (holds_something(given_value(body, "audio"))) return refuse_field("audio", "cannot be served by this model");
  if (given_value(body, "modalities").find("\"audio\"") != std::string_view::npos) {
    return refuse_field("modalities", "audio cannot be served by this model");
  }
  if (holds_something(given_value(body, "functions"))) {
    return refuse_field("functions", "cannot be served by this model; use tools");
  }
  return Done{};
}

std::int64_t max_tokens_for(const call::CallSpec& spec, std::optional<std::int64_t> output_cap,
                            std::int64_t max_output_tokens) {
  const std::int64_t unstated = max_output_tokens > 0 ? max_output_tokens : k_default_max_tokens;
  return std::max<std::int64_t>(output_cap.value_or(spec.max_tokens.value_or(unstated)), 1);
}

// The number itself where it lies between 0 and 1, else the nearer end.
Result<std::string> share(const RequestBody& body, std::string_view key) {
  const std::string_view raw = given_value(body, key);
  if (raw.empty()) return std::string();
  double value = 0;
  const auto [end, fault] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (end != raw.data() + raw.size()) return refuse_field(key, "must be a number");
  if (raw.front() == '-') return std::string("0");
  if (fault == std::errc::result_out_of_range) return std::string(raw.find("e-") == std::string_view::npos ? "1" : "0");
  return value > 1 ? std::string("1") : std::string(raw);
}

// Anthropic refuses stop sequences that are white space alone.
Result<std::string> stop_sequences(const RequestBody& body) {
  const std::string_view raw = given_value(body, "stop");
  if (raw.empty()) return std::string();
  std::string list;
  const auto add = [&list](std::string_view stop) {
    const auto text = read_text(stop);
    if (!text) return false;
    if (text->find_first_not_of(" \t\r\n\f\v") != std::string::npos) list.append(list.empty() ? "[" : ",").append(stop);
    return true;
  };
  JsonCursor cursor(raw);
  bool fits = true;
  if (cursor.peek() == '[') {
    cursor.begin_array();
    while (fits && cursor.next_element()) fits = add(cursor.take());
  } else {
    fits = add(raw);
  }
  if (!fits) return refuse_field("stop", "must be text or a list of texts");
  return list.empty() ? list : list.append("]");
}

Result<std::string> format_instruction(const RequestBody& body) {
  const std::string_view format = given_value(body, "response_format");
  if (format.empty()) return std::string();
  if (format.front() != '{') return refuse_field("response_format", "must be an object");
  const std::string_view type = find_member(format, "type").value_or(std::string_view());
  if (type == "\"text\"") return std::string();
  if (type == "\"json_object\"") return std::string(k_json_instruction);
  if (type != "\"json_schema\"")
    return refuse_field("response_format.type", "must be text, json_object or json_schema");
  const std::string_view wrapper = find_member(format, "json_schema").value_or(std::string_view());
  const auto schema = wrapper.empty() || wrapper.front() != '{' ? std::nullopt : find_member(wrapper, "schema");
  if (!schema) return std::string(k_json_instruction);
  return std::string(k_json_instruction).append(k_schema_instruction).append(*schema);
}

// Thinking as it is sent, and what it rules out.
struct ThinkingFields {
  std::string thinking;       // the object; empty: none
  std::string output_config;  // the object; empty: none
  bool is_on = false;
};

ThinkingFields from_effort(std::string_view effort, Thinking kind, std::int64_t max_tokens, const ChatTurns& turns,
                           bool forced_tool) {
  ThinkingFields fields;
  const auto* const asked =
      std::find_if(k_efforts.begin(), k_efforts.end(), [&](const Effort& e) { return e.asked == effort; });
  if (asked == k_efforts.end()) return fields;
  const bool may_think = asked->budget != 0 && !forced_tool && !turns.ends_with_assistant;
  if (kind == Thinking::adaptive) {
    fields.output_config = "{\"effort\":\"" + std::string(asked->level) + "\"}";
    if (may_think) fields.thinking = R"({"type":"adaptive","display":"summarized"})";
  } else if (kind == Thinking::budget && may_think && !turns.lost_thinking && asked->budget < max_tokens) {
    fields.thinking = "{\"type\":\"enabled\",\"budget_tokens\":" + std::to_string(asked->budget) + "}";
  }
  fields.is_on = !fields.thinking.empty();
  return fields;
}

Result<ThinkingFields> thinking_for(const RequestBody& body, Thinking kind, std::int64_t max_tokens,
                                    const ChatTurns& turns, bool forced_tool) {
  const std::string_view given = given_value(body, "thinking");
  const std::string_view effort = given_value(body, "reasoning_effort");
  if (!effort.empty() && effort.front() != '"') return refuse_field("reasoning_effort", "must be text");
  if (given.empty()) return from_effort(effort, kind, max_tokens, turns, forced_tool);
  if (given.front() != '{') return refuse_field("thinking", "must be an object");
  ThinkingFields fields;
  fields.thinking = given;
  fields.is_on = find_member(given, "type") != "\"disabled\"";
  return fields;
}

class BodyWriter {
 public:
  void put(std::string_view key, std::string_view raw) {
    if (raw.empty()) return;
    m_out.append(m_out.size() == 1 ? "\"" : ",\"").append(key).append("\":").append(raw);
  }
  void put_list(std::string_view key, std::string_view items) {
    if (items.empty()) return;
    put(key, "[");
    m_out.append(items).append("]");
  }
  void reserve(std::size_t bytes) { m_out.reserve(bytes); }
  std::string finish() { return std::move(m_out.append("}")); }

 private:
  std::string m_out = "{";
};

// One of temperature and top_p: newer models refuse both together. A share of 1 changes nothing and gives way.
Status put_sampling(const RequestBody& body, BodyWriter& out) {
  auto temperature = share(body, "temperature");
  if (!temperature) return temperature.error();
  auto top_p = share(body, "top_p");
  if (!top_p) return top_p.error();
  const std::string_view top_k = given_value(body, "top_k");
  const bool top_p_counts = !top_p->empty() && *top_p != "1" && *top_p != "1.0";
  const bool temperature_counts = !temperature->empty() && *temperature != "1" && *temperature != "1.0";
  if (top_p_counts && !temperature_counts) {
    out.put("top_p", *top_p);
  } else if (!temperature->empty()) {
    out.put("temperature", *temperature);
  } else {
    out.put("top_p", *top_p);
  }
  if (const auto number = read_integer(top_k); number && *number > 0) out.put("top_k", std::to_string(*number));
  return Done{};
}

void put_user(const RequestBody& body, BodyWriter& out) {
  std::string_view user = given_value(body, "user");
  if (text_body(user).empty()) user = given_value(body, "safety_identifier");
  if (text_body(user).empty() || user.size() > k_longest_user_id) return;
  out.put("metadata", "{\"user_id\":" + std::string(user) + "}");
}

}  // namespace

Result<std::string> chat_request_to_messages(const RequestBody& body, const call::CallSpec& spec,
                                             std::string_view upstream_model, MessagesFor target,
                                             std::optional<std::int64_t> output_cap, std::int64_t max_output_tokens) {
  if (const Status checked = check_chat_fields(body, spec); !checked) return checked.error();
  auto turns = read_turns(given_value(body, "messages"), target);
  if (!turns) return turns.error();
  if (turns->messages.empty()) return refuse_field("messages", "hold nothing that this model could answer");
  const auto instruction = format_instruction(body);
  if (!instruction) return instruction.error();
  const auto tools = read_tools(body);
  if (!tools) return tools.error();
  const auto stop = stop_sequences(body);
  if (!stop) return stop.error();
  const ClaudeTakes takes = claude_takes(upstream_model);
  const std::int64_t max_tokens = max_tokens_for(spec, output_cap, max_output_tokens);
  const auto thinking = thinking_for(body, takes.thinking, max_tokens, *turns, tools->forced);
  if (!thinking) return thinking.error();

  // Last, so that what is cached before it stays the same.
  if (!instruction->empty()) turns->system.add_text(text_body(quote_json(*instruction)));

  BodyWriter out;
  out.reserve(turns->messages.size() + turns->system.json().size() + tools->tools.size() + 512);
  if (target == MessagesFor::vertex) {
    out.put("anthropic_version", k_vertex_version);
  } else {
    out.put("model", quote_json(upstream_model));
  }
  out.put("max_tokens", std::to_string(max_tokens));
  out.put_list("system", turns->system.json());
  out.put_list("messages", turns->messages);
  out.put("tools", tools->tools);
  out.put("tool_choice", tools->choice);
  out.put("thinking", thinking->thinking);
  out.put("output_config", thinking->output_config);
  if (!thinking->is_on && takes.sampling == Sampling::taken) {
    if (const Status put = put_sampling(body, out); !put) return put.error();
  }
  out.put("stop_sequences", *stop);
  put_user(body, out);
  if (spec.stream) out.put("stream", "true");
  return out.finish();
}

}  // namespace nemo::protocol
