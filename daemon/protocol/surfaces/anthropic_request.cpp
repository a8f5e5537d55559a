#include "daemon/protocol/surfaces/anthropic_request.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/surfaces/anthropic_request_tools.h"
#include "daemon/protocol/surfaces/anthropic_request_turns.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::size_t k_longest_user = 64;  // what OpenAI takes; a longer id is refused with the whole call

std::string_view member(std::string_view object, std::string_view key) {
  if (object.empty() || object.front() != '{') return {};
  const std::string_view value = find_member(object, key).value_or(std::string_view());
  return value == "null" ? std::string_view() : value;
}

// What would change the answer, and nobody but Anthropic has.
Status refuse_what_only_anthropic_has(const RequestBody& body) {
  const std::string_view servers = given_value(body, "mcp_servers");
  if (!servers.empty() && servers != "[]") {
    return refuse_field("mcp_servers",
                        "only Anthropic's servers connect to them; this model cannot be served with any");
  }
  if (!given_value(body, "container").empty()) {
    return refuse_field("container", "only Anthropic's servers have containers; this model cannot be served with one");
  }
  return Done{};
}

// OpenAI's three levels, by the budgets that chat_request_to_messages gives them.
std::string_view effort_of_budget(std::int64_t budget) {
  constexpr std::int64_t k_most_low = 4'096;
  constexpr std::int64_t k_most_medium = 16'384;
  if (budget <= k_most_low) return "\"low\"";
  return budget <= k_most_medium ? "\"medium\"" : "\"high\"";
}

// Empty for a level that OpenAI has no word for.
std::string_view effort_of_level(std::string_view level) {
  if (level == "\"max\"" || level == "\"xhigh\"") return "\"high\"";
  constexpr std::array<std::string_view, 3> k_shared{"\"low\"", "\"medium\"", "\"high\""};
  const auto* const found = std::find(k_shared.begin(), k_shared.end(), level);
  return found == k_shared.end() ? std::string_view() : *found;
}

Result<std::string_view> effort_of(const RequestBody& body) {
  const std::string_view thinking = given_value(body, "thinking");
  const std::string_view config = given_value(body, "output_config");
  if (!thinking.empty() && thinking.front() != '{') return refuse_field("thinking", "must be an object");
  if (!config.empty() && config.front() != '{') return refuse_field("output_config", "must be an object");
  const std::string_view stated = effort_of_level(member(config, "effort"));
  const std::string_view type = member(thinking, "type");
  if (type == "\"disabled\"") return std::string_view();
  if (type == "\"adaptive\"") return stated.empty() ? std::string_view("\"medium\"") : stated;
  if (type == "\"enabled\"") {
    const auto budget = read_integer(member(thinking, "budget_tokens"));
    if (!budget || *budget < 1) return refuse_field("thinking.budget_tokens", "must be a whole number above 0");
    return effort_of_budget(*budget);
  }
  if (!thinking.empty()) return refuse_field("thinking.type", "must be enabled, adaptive or disabled");
  return stated;
}

// {"type":"json_schema","schema":…}, in output_config or, as older clients have it, in output_format.
Result<std::string> response_format(const RequestBody& body) {
  std::string field = "output_config.format";
  std::string_view format = member(given_value(body, "output_config"), "format");
  if (format.empty()) {
    field = "output_format";
    format = given_value(body, "output_format");
  }
  if (format.empty()) return std::string();
  if (member(format, "type") != "\"json_schema\"") return refuse_field(field + ".type", "must be json_schema");
  const std::string_view schema = member(format, "schema");
  if (schema.empty() || schema.front() != '{') return refuse_field(field + ".schema", "must be an object");
  return R"({"type":"json_schema","json_schema":{"name":"answer","schema":)" + std::string(schema) + "}}";
}

Result<std::string_view> stop_of(const RequestBody& body) {
  const Field* field = body.find("stop_sequences");
  if (field == nullptr || field->value == "null") return std::string_view();
  if (field->value.front() != '[' || (field->item_count != 0 && field->items != Items::texts)) {
    return refuse_field("stop_sequences", "must be a list of texts");
  }
  return field->item_count == 0 ? std::string_view() : field->value;
}

Result<std::string_view> number_of(const RequestBody& body, std::string_view key) {
  const std::string_view raw = given_value(body, key);
  const bool is_number = raw.empty() || raw.front() == '-' || (raw.front() >= '0' && raw.front() <= '9');
  if (!is_number) return refuse_field(key, "must be a number");
  return raw;
}

Status put_sampling(const RequestBody& body, ObjectText& out) {
  for (const char* key : {"temperature", "top_p", "top_k"}) {
    const auto number = number_of(body, key);
    if (!number) return number.error();
    out.put(key, *number);
  }
  return Done{};
}

void put_user(const RequestBody& body, ObjectText& out) {
  const std::string_view user = member(given_value(body, "metadata"), "user_id");
  const auto text = read_text(user);
  if (text && !text->empty() && text->size() <= k_longest_user) out.put("user", user);
}

// For an upstream that is a Nemo itself; all others never see them.
void put_extensions(const RequestBody& body, ObjectText& out) {
  for (const char* key : {"nemo_cache", "nemo_tags", "nemo_lane", "nemo_fallbacks"}) {
    out.put(key, given_value(body, key));
  }
}

}  // namespace

void ObjectText::put(std::string_view key, std::string_view raw) {
  if (raw.empty()) return;
  m_out.append(empty() ? "\"" : ",\"").append(key).append("\":").append(raw);
}

Result<std::string> messages_request_to_chat(const RequestBody& body, const call::CallSpec& spec) {
  if (const Status refused = refuse_what_only_anthropic_has(body); !refused) return refused.error();
  const auto turns = read_chat_turns(given_value(body, "system"), given_value(body, "messages"));
  if (!turns) return turns.error();
  const auto tools = read_chat_tools(body);
  if (!tools) return tools.error();
  const auto effort = effort_of(body);
  if (!effort) return effort.error();
  const auto format = response_format(body);
  if (!format) return format.error();
  const auto stop = stop_of(body);
  if (!stop) return stop.error();

  ObjectText out;
  out.put("model", given_value(body, "model"));
  out.put("messages", *turns);
  out.put("tools", tools->tools);
  out.put("tool_choice", tools->choice);
  out.put("parallel_tool_calls", tools->parallel);
  // Nothing at all, which warms Anthropic's cache, is no answer that a chat knows.
  if (spec.max_tokens) out.put("max_tokens", std::to_string(std::max<std::int64_t>(*spec.max_tokens, 1)));
  if (const Status put = put_sampling(body, out); !put) return put.error();
  out.put("stop", *stop);
  out.put("reasoning_effort", *effort);
  out.put("response_format", *format);
  put_user(body, out);
  if (spec.stream) out.put("stream", "true");
  put_extensions(body, out);
  return out.take();
}

}  // namespace nemo::protocol
