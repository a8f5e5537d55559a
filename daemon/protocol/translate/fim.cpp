// Fill in the middle as Mistral's rawPredict takes it. Its answers and chunks have chat's shape.
// Source: Mistral API reference, fill in the middle.
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/fim/hole.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/translate/completions_to_chat.h"
#include "daemon/protocol/translate/request_fields.h"
#include "daemon/protocol/translate/vertex.h"

namespace nemo::protocol {
namespace {

constexpr std::string_view k_cannot = "cannot be served by this model's upstream, which only fills in text";

// What the answer would lack without a word about it.
Status check_fim_fields(const RequestBody& body, const call::CallSpec& spec) {
  if (given_value(body, "echo") == "true") return refuse_field("echo", k_cannot);
  if (read_integer(given_value(body, "best_of")).value_or(1) != 1) return refuse_field("best_of", k_cannot);
  const std::string_view logprobs = given_value(body, "logprobs");
  if (!logprobs.empty() && logprobs != "false") return refuse_field("logprobs", k_cannot);
  if (spec.choices != 1) return refuse_field("n", "this model's upstream gives one answer a call; send one call each");
  const std::string_view suffix = given_value(body, "suffix");
  if (!suffix.empty() && suffix.front() != '"') return refuse_field("suffix", "must be text");
  return Done{};
}

// A text or a list as it stands; an empty list is none.
Result<std::string_view> stops(const RequestBody& body) {
  const std::string_view raw = given_value(body, "stop");
  if (raw.empty() || raw.front() == '"') return raw;
  const Field* stop = body.find("stop");
  if (raw.front() == '[' && stop->item_count == 0) return std::string_view();
  if (stop->items != Items::texts) return refuse_field("stop", "must be text or a list of texts");
  return raw;
}

}  // namespace

Result<std::string> completions_request_to_fim(const RequestBody& body, const call::CallSpec& spec,
                                               const FimPrompt* hole, std::string_view upstream_model,
                                               std::optional<std::int64_t> output_cap) {
  const auto prompt = single_prompt(body);
  if (!prompt) return prompt.error();
  if (const Status checked = check_fim_fields(body, spec); !checked) return checked.error();
  const auto stop = stops(body);
  if (!stop) return stop.error();

  std::string out = "{\"model\":" + quote_json(upstream_model.substr(0, upstream_model.find('@')));
  const auto put = [&out](std::string_view key, std::string_view raw) {
    if (!raw.empty()) out.append(",\"").append(key).append("\":").append(raw);
  };
  if (hole == nullptr || is_told_in(call::FimForm::suffix, *hole, body)) {
    put("prompt", *prompt);
    put("suffix", given_value(body, "suffix"));
  } else {
    put("prompt", quote_json(render_fim_prompt(call::FimForm::suffix, *hole)));
    if (!hole->suffix.empty()) put("suffix", quote_json(hole->suffix));
  }
  if (const auto most = output_cap ? output_cap : spec.max_tokens) put("max_tokens", std::to_string(*most));
  put("temperature", given_value(body, "temperature"));
  put("top_p", given_value(body, "top_p"));
  put("stop", *stop);
  put("random_seed", given_value(body, "seed"));
  if (spec.stream) put("stream", "true");
  return out.append("}");
}

Result<std::string> fim_answer_to_completions(std::string_view answer) {
  return chat_answer_to_completions(answer);
}

std::unique_ptr<stream::Translator> make_fim_to_completions_translator() {
  return make_chat_to_completions_translator();
}

}  // namespace nemo::protocol
