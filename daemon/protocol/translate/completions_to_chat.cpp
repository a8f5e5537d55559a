#include "daemon/protocol/translate/completions_to_chat.h"

#include <array>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/stream_options.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::string_view k_instruction =
    "You complete text inside an editor. The user's message holds what stands before the cursor between <prefix> and "
    "</prefix>, and what stands after it between <suffix> and </suffix>. Answer with exactly the text that belongs at "
    "the cursor and nothing else: no explanation, no markdown fence, no repetition of the prefix or the suffix. Keep "
    "the indentation and the style of the surrounding text. Answer with nothing if nothing is missing.";

// What both surfaces call the same and mean the same by.
constexpr std::array<std::string_view, 16> k_carried{
    "temperature",  "top_p",      "max_tokens", "max_completion_tokens", "n",          "seed",
    "user",         "stream",     "metadata",   "presence_penalty",      "logit_bias", "frequency_penalty",
    "service_tier", "extra_body", "store",      "reasoning_effort"};

Status check_fields(const RequestBody& body, const call::CallSpec& spec) {
  constexpr std::int64_t k_most_logprobs = 20;  // chat's top_logprobs
  if (given_value(body, "echo") == "true") return refuse_field("echo", "cannot be served by a model that only chats");
  if (const auto best_of = read_integer(given_value(body, "best_of")); best_of && *best_of > spec.choices) {
    return refuse_field("best_of", "above n cannot be served by a model that only chats");
  }
  if (const auto logprobs = read_integer(given_value(body, "logprobs")); logprobs && *logprobs > k_most_logprobs) {
    return refuse_field("logprobs", "must be at most 20");
  }
  return Done{};
}

// `first` and `second` are raw texts; what they hold is joined as it stands, escapes and all.
std::string messages_for(std::string_view prompt, std::string_view suffix) {
  if (suffix.empty()) return "[{\"role\":\"user\",\"content\":" + std::string(prompt) + "}]";
  std::string out = "[{\"role\":\"system\",\"content\":" + quote_json(k_instruction);
  out.append("},{\"role\":\"user\",\"content\":\"<prefix>").append(prompt.substr(1, prompt.size() - 2));
  out.append("</prefix>\\n<suffix>").append(suffix.substr(1, suffix.size() - 2)).append("</suffix>\"}]");
  return out;
}

// Editors send seven to nine stop texts; most chat upstreams refuse more than four.
std::string first_stops(const RequestBody& body) {
  constexpr std::size_t k_most_stops = 4;
  const Field* stop = body.find("stop");
  if (stop == nullptr || stop->value == "null" || (stop->value.front() == '[' && stop->item_count == 0)) {
    return {};
  }
  if (stop->value.front() != '[' || stop->item_count <= k_most_stops) return std::string(stop->value);
  JsonCursor cursor(stop->value);
  cursor.begin_array();
  std::string out = "[";
  for (std::size_t i = 0; i < k_most_stops && cursor.next_element(); ++i) {
    if (i != 0) out.push_back(',');
    out.append(cursor.take());
  }
  return out.append("]");
}

}  // namespace

Result<std::string> completions_request_to_chat(const RequestBody& body, const call::CallSpec& spec,
                                                std::string_view upstream_model,
                                                std::optional<std::int64_t> output_cap) {
  const auto prompt = single_prompt(body);
  if (!prompt) return prompt.error();
  if (const Status checked = check_fields(body, spec); !checked) return checked.error();
  const std::string_view suffix = given_value(body, "suffix");
  if (!suffix.empty() && suffix.front() != '"') return refuse_field("suffix", "must be text");

  std::string out = "{\"model\":" + quote_json(upstream_model);
  out.append(",\"messages\":").append(messages_for(*prompt, suffix));
  const auto put = [&out](std::string_view key, std::string_view raw) {
    if (!raw.empty()) out.append(",\"").append(key).append("\":").append(raw);
  };
  for (const std::string_view key : k_carried) {
    if (output_cap && (key == "max_tokens" || key == "max_completion_tokens")) continue;
    put(key, given_value(body, key));
  }
  if (output_cap) put("max_tokens", std::to_string(*output_cap));
  put("stop", first_stops(body));
  if (spec.stream) put("stream_options", stream_options_with_usage(body));
  return out.append("}");
}

}  // namespace nemo::protocol
