#include "daemon/protocol/translate/completions_to_chat.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/fim/hole.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/stream_options.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::string_view k_instruction =
    "You complete text inside an editor. The user's message holds what stands before the cursor between <prefix> and "
    "</prefix>, and what stands after it between <suffix> and </suffix>. Other files may come first, each between "
    "<file> "
    "and </file>; they are there to be read only. Answer with exactly the text that belongs at "
    "the cursor and nothing else: no explanation, no markdown fence, no repetition of the prefix or the suffix. Keep "
    "the indentation and the style of the surrounding text. Answer with nothing if nothing is missing.";

// What both surfaces call the same and mean the same by.
constexpr std::array<std::string_view, 16> k_carried{
    "temperature",  "top_p",      "max_tokens", "max_completion_tokens", "n",          "seed",
    "user",         "stream",     "metadata",   "presence_penalty",      "logit_bias", "frequency_penalty",
    "service_tier", "extra_body", "store",      "reasoning_effort"};

Status check_completion_fields(const RequestBody& body, const call::CallSpec& spec) {
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

std::string question_of(const FimPrompt& hole) {
  std::string text;
  for (const FimFile& file : hole.files) {
    text.append(file.path.empty() ? std::string("<file>\n") : "<file path=\"" + file.path + "\">\n");
    text.append(file.content).append("\n</file>\n");
  }
  return text.append("<prefix>" + hole.prefix + "</prefix>\n<suffix>" + hole.suffix + "</suffix>");
}

std::string messages_for(std::string_view raw_prompt, const FimPrompt* hole) {
  if (hole == nullptr) return "[{\"role\":\"user\",\"content\":" + std::string(raw_prompt) + "}]";
  std::string out = "[{\"role\":\"system\",\"content\":" + quote_json(k_instruction);
  return out.append("},{\"role\":\"user\",\"content\":").append(quote_json(question_of(*hole))).append("}]");
}

// Editors send seven to nine stop texts; most chat upstreams refuse more than four.
constexpr std::size_t k_most_stops = 4;

// A chat's answer may begin with a fence or repeat the last lines before the hole: what could stop it there is looked
// for here alone. So are sentinels, which no chat model writes.
bool may_go_up(const std::string& stop, const FimPrompt& hole) {
  constexpr std::size_t k_echoed = 1024;
  const std::string_view prefix = hole.prefix;
  const std::string_view echoed = prefix.substr(prefix.size() - std::min(prefix.size(), k_echoed));
  const bool is_sentinel = stop.starts_with('<') && stop.ends_with('>');
  return !is_sentinel && stop.find('`') == std::string::npos && stop.find_first_not_of("\r\n") != std::string::npos &&
         echoed.find(stop) == std::string_view::npos;
}

// Raw; empty: none.
std::string stops_to_send(const RequestBody& body, const FimPrompt* hole) {
  const Field* given = body.find("stop");
  if (given == nullptr || given->value == "null" || (given->value.front() == '[' && given->item_count == 0)) return {};
  const bool is_short = given->value.front() != '[' || given->item_count <= k_most_stops;
  if (hole == nullptr && is_short) return std::string(given->value);
  std::string out = "[";
  std::size_t count = 0;
  for (const std::string& stop : stop_texts(body)) {
    if (count == k_most_stops) break;
    if (hole != nullptr && !may_go_up(stop, *hole)) continue;
    if (count++ != 0) out.push_back(',');
    out.append(quote_json(stop));
  }
  return count == 0 ? std::string() : out.append("]");
}

}  // namespace

Result<std::string> completions_request_to_chat(const RequestBody& body, const call::CallSpec& spec,
                                                const FimPrompt* hole, std::string_view upstream_model,
                                                std::optional<std::int64_t> output_cap) {
  const auto prompt = single_prompt(body);
  if (!prompt) return prompt.error();
  if (const Status checked = check_completion_fields(body, spec); !checked) return checked.error();

  std::string out = "{\"model\":" + quote_json(upstream_model);
  out.append(",\"messages\":").append(messages_for(*prompt, hole));
  const auto put = [&out](std::string_view key, std::string_view raw) {
    if (!raw.empty()) out.append(",\"").append(key).append("\":").append(raw);
  };
  for (const std::string_view key : k_carried) {
    if (output_cap && (key == "max_tokens" || key == "max_completion_tokens")) continue;
    put(key, given_value(body, key));
  }
  if (output_cap) put("max_tokens", std::to_string(*output_cap));
  put("stop", stops_to_send(body, hole));
  if (spec.stream) put("stream_options", stream_options_with_usage(body));
  return out.append("}");
}

std::shared_ptr<const Cleaning> cleaning_for(const RequestBody& body, const FimPrompt* hole) {
  std::vector<std::string> stops = stop_texts(body);
  if (hole != nullptr) return clean_hole(*hole, std::move(stops));
  return stops.size() > k_most_stops ? clean_stops(std::move(stops)) : nullptr;
}

}  // namespace nemo::protocol
