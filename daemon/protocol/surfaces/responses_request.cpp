#include "daemon/protocol/surfaces/responses_request.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/surfaces/responses_input.h"
#include "daemon/protocol/surfaces/responses_tools.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::int64_t k_most_tokens = std::numeric_limits<std::int32_t>::max();

// Chat has them under the same name.
constexpr std::array<std::string_view, 14> k_carried{
    "model",        "stream",           "temperature", "top_p",      "metadata",  "user",      "safety_identifier",
    "service_tier", "prompt_cache_key", "seed",        "nemo_cache", "nemo_tags", "nemo_lane", "nemo_fallbacks"};

Status refuse_kept_state(const RequestBody& body) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> k_kept{{
      {"previous_response_id", "no state is kept here between requests; leave it out and send the whole input"},
      {"conversation", "no state is kept here between requests; leave it out and send the whole input"},
      {"prompt", "stored prompts are not served here; send the instructions and the input themselves"},
  }};
  for (const auto& [field, why] : k_kept) {
    if (!given_value(body, field).empty()) return refuse_field(field, why);
  }
  if (given_value(body, "background") == "true") {
    return refuse_field("background", "answers are not kept here; leave it out and wait for this one, or stream it");
  }
  return Done{};
}

// A body of another surface: the caller is told which path is meant.
Error missing_input(const RequestBody& body) {
  if (body.find("messages") != nullptr) {
    return refuse_field("messages", "this is a chat; send it to /v1/chat/completions, or give input here");
  }
  if (body.find("contents") != nullptr) {
    return refuse_field("contents", "this is a Gemini request; send it to /v1beta/models/MODEL:generateContent");
  }
  return refuse_field("input", "is missing; give a text or a list of items");
}

Status read_flag(const RequestBody& body, std::string_view key, bool& flag) {
  const std::string_view raw = given_value(body, key);
  if (!raw.empty() && raw != "true" && raw != "false") return refuse_field(key, "must be true or false");
  if (!raw.empty()) flag = raw == "true";
  return Done{};
}

Status read_output_limit(const RequestBody& body, call::CallSpec& spec) {
  const std::string_view raw = given_value(body, "max_output_tokens");
  if (raw.empty()) return Done{};
  spec.max_tokens = read_integer(raw);
  if (!spec.max_tokens || *spec.max_tokens < 1 || *spec.max_tokens > k_most_tokens) {
    return refuse_field("max_output_tokens", "must be a whole number from 1 to " + std::to_string(k_most_tokens));
  }
  return Done{};
}

Status read_prompt(const RequestBody& body, call::CallSpec& spec) {
  const std::string_view instructions = given_value(body, "instructions");
  if (!instructions.empty() && instructions.front() != '"') return refuse_field("instructions", "must be text");
  const Field* input = body.find("input");
  if (input == nullptr || input->value == "null") return missing_input(body);
  const bool is_items = input->value.front() == '[' && input->items == Items::objects;
  if (!is_items && input->value.front() != '"') {
    return refuse_field("input", "must be text or a list of items that is not empty");
  }
  spec.prompt_bytes = instructions.size() + input->value.size();
  const Field* tools = body.find("tools");
  if (tools == nullptr || tools->value == "null") return Done{};
  if (tools->value.front() != '[') return refuse_field("tools", "must be a list");
  if (tools->item_count == 0) return Done{};
  spec.has_tools = true;
  spec.prompt_bytes += tools->value.size();
  return Done{};
}

class ChatBody {
 public:
  void put(std::string_view key, std::string_view raw) {
    if (raw.empty()) return;
    m_out.append(m_out.empty() ? "{\"" : ",\"").append(key).append("\":").append(raw);
  }
  std::string take() { return std::move(m_out.append("}")); }

 private:
  std::string m_out;
};

// The value of a field inside an object that may be absent; empty: not there, or null.
std::string_view inner_value(std::string_view object, std::string_view key) {
  const std::string_view value = object.empty() ? std::string_view() : find_member(object, key).value_or("");
  return value == "null" ? std::string_view() : value;
}

// {"type":"json_schema","name":…,"schema":…} -> {"type":"json_schema","json_schema":{"name":…,"schema":…}}
Result<std::string> response_format(std::string_view format) {
  if (format.empty()) return std::string();
  const std::string_view type = inner_value(format, "type");
  if (type == "\"text\"") return std::string();
  if (type == "\"json_object\"") return std::string(R"({"type":"json_object"})");
  if (type != "\"json_schema\"") return refuse_field("text.format", "must be text, json_object or json_schema");
  ChatBody schema;
  for (const std::string_view key : {"name", "description", "schema", "strict"}) {
    schema.put(key, inner_value(format, key));
  }
  if (inner_value(format, "name").empty()) return refuse_field("text.format.name", "is missing");
  return R"({"type":"json_schema","json_schema":)" + schema.take() + "}";
}

Status put_text(const RequestBody& body, ChatBody& chat) {
  const std::string_view text = given_value(body, "text");
  if (!text.empty() && text.front() != '{') return refuse_field("text", "must be an object");
  const auto format = response_format(inner_value(text, "format"));
  if (!format) return format.error();
  chat.put("response_format", *format);
  chat.put("verbosity", inner_value(text, "verbosity"));
  return Done{};
}

}  // namespace

Result<call::CallSpec> parse_responses(const RequestBody& body) {
  call::CallSpec spec;
  spec.surface = call::Surface::openai_responses;
  const std::string_view model = given_value(body, "model");
  if (!model.empty()) {
    auto name = read_text(model);
    if (!name) return refuse_field("model", "must be text");
    spec.model = std::move(*name);
  }
  if (Status read = read_extensions(body, spec); !read) return read.error();
  if (Status read = read_flag(body, "stream", spec.stream); !read) return read.error();
  bool unused = false;
  if (Status read = read_flag(body, "store", unused); !read) return read.error();
  if (Status read = read_flag(body, "background", unused); !read) return read.error();
  if (Status kept = refuse_kept_state(body); !kept) return kept.error();
  if (Status read = read_output_limit(body, spec); !read) return read.error();
  if (Status read = read_prompt(body, spec); !read) return read.error();
  return spec;
}

Result<std::string> response_request_to_chat(const RequestBody& body, const call::CallSpec& spec) {
  const auto messages = chat_messages(given_value(body, "instructions"), given_value(body, "input"));
  if (!messages) return messages.error();
  const auto tools = tools_of_response(body);
  if (!tools) return tools.error();
  const std::string_view reasoning = given_value(body, "reasoning");
  if (!reasoning.empty() && reasoning.front() != '{') return refuse_field("reasoning", "must be an object");
  ChatBody chat;
  for (const std::string_view key : k_carried) chat.put(key, given_value(body, key));
  chat.put("messages", *messages);
  if (spec.max_tokens) chat.put("max_tokens", std::to_string(*spec.max_tokens));
  chat.put("reasoning_effort", inner_value(reasoning, "effort"));
  if (Status put = put_text(body, chat); !put) return put.error();
  // Chat refuses both where there are no tools.
  if (!tools->tools.empty()) {
    chat.put("tools", tools->tools);
    chat.put("tool_choice", tools->choice);
    chat.put("parallel_tool_calls", given_value(body, "parallel_tool_calls"));
  }
  return chat.take();
}

}  // namespace nemo::protocol
