// llama.cpp's own completions: /infill with what stands around the cursor, /completion with a prompt.
// Source: llama.cpp, README of its server; what llama.vim and llama.vscode send.
#include <limits>
#include <optional>
#include <string>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/fim/hole.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/surfaces/llamacpp_answer.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::int64_t k_most_choices = 128;
constexpr std::string_view k_empty = "\"\"";

Status read_whole(const RequestBody& body, std::string_view key, std::int64_t least, std::int64_t most,
                  std::optional<std::int64_t>& count) {
  const std::string_view raw = given_value(body, key);
  if (raw.empty()) return Done{};
  count = read_integer(raw);
  if (count && *count >= least && *count <= most) return Done{};
  return refuse_field(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

// What both paths share. n_predict below 0 is llama.cpp's "as much as there is".
Status read_common(const RequestBody& body, call::CallSpec& spec) {
  constexpr std::int64_t k_no_end = -2;
  const std::string_view model = given_value(body, "model");
  if (!model.empty()) {
    auto name = read_text(model);
    if (!name) return refuse_field("model", "must be text");
    spec.model = std::move(*name);
  }
  const std::string_view stream = given_value(body, "stream");
  if (!stream.empty() && stream != "true" && stream != "false") return refuse_field("stream", "must be true or false");
  spec.stream = stream == "true";
  std::optional<std::int64_t> tokens;
  if (Status read = read_whole(body, "n_predict", k_no_end, std::numeric_limits<std::int32_t>::max(), tokens); !read) {
    return read;
  }
  spec.only_warms_up = tokens && *tokens == 0;
  if (tokens && *tokens > 0) spec.max_tokens = tokens;
  std::optional<std::int64_t> choices;
  if (Status read = read_whole(body, "n_cmpl", 1, k_most_choices, choices); !read) return read;
  spec.choices = choices.value_or(1);
  spec.answers = spec.choices;
  return read_extensions(body, spec);
}

Result<std::string_view> text_field(const RequestBody& body, std::string_view key) {
  const std::string_view raw = given_value(body, key);
  if (raw.empty()) return k_empty;
  if (raw.front() != '"') return refuse_field(key, "must be text");
  return raw;
}

std::string_view inside(std::string_view quoted) {
  return quoted.substr(1, quoted.size() - 2);
}

Result<call::CallSpec> parse_infill(const RequestBody& body, const PathWords& /*path*/) {
  call::CallSpec spec;
  spec.surface = call::Surface::llamacpp_infill;
  spec.fill_in_middle = true;
  if (Status read = read_common(body, spec); !read) return read.error();
  if (body.find("input_prefix") == nullptr && body.find("input_suffix") == nullptr) {
    return refuse_field("input_prefix", "is missing");
  }
  for (const std::string_view key : {"input_prefix", "prompt", "input_suffix"}) {
    const auto text = text_field(body, key);
    if (!text) return text.error();
    spec.prompt_bytes += text->size();
  }
  spec.prompt_bytes += given_value(body, "input_extra").size();
  return spec;
}

Result<call::CallSpec> parse_completion(const RequestBody& body, const PathWords& /*path*/) {
  call::CallSpec spec;
  spec.surface = call::Surface::llamacpp_completion;
  if (Status read = read_common(body, spec); !read) return read.error();
  const auto prompt = single_prompt(body);
  if (!prompt) return prompt.error();
  spec.prompt_bytes = prompt->size();
  return spec;
}

class HubBody {
 public:
  void put(std::string_view key, std::string_view raw) {
    if (raw.empty()) return;
    m_text.append(m_text.size() > 1 ? ",\"" : "\"").append(key).append("\":").append(raw);
  }
  // What is called the same there, and what is not. Samplers and slots have no place in it. Nor has t_max_predict_ms:
  // its clients ask for whole answers, which an upstream gives at once or not at all; n_predict is what bounds them.
  void put_common(const RequestBody& body, const call::CallSpec& spec) {
    for (const std::string_view key : {"model", "temperature", "top_p", "presence_penalty", "frequency_penalty",
                                       "stream", "nemo_cache", "nemo_lane", "nemo_tags", "nemo_fallbacks"}) {
      put(key, given_value(body, key));
    }
    if (const std::string_view stop = given_value(body, "stop"); stop != "[]") put("stop", stop);
    if (spec.max_tokens) put("max_tokens", std::to_string(*spec.max_tokens));
    if (spec.choices > 1) put("n", std::to_string(spec.choices));
    const auto seed = read_integer(given_value(body, "seed"));
    if (seed && *seed >= 0) put("seed", std::to_string(*seed));
  }
  std::string take() { return std::move(m_text.append("}")); }

 private:
  std::string m_text = "{";
};

// input_extra: [{"text","filename"}], raw values kept.
Result<std::string> files_of(const RequestBody& body) {
  const std::string_view raw = given_value(body, "input_extra");
  if (raw.empty()) return std::string("[]");
  std::string out = "[";
  bool all_fit = true;
  JsonCursor cursor(raw);
  const bool is_list = each_element(cursor, [&] {
    const std::string_view item = cursor.take();
    const auto text = find_member(item, "text");
    const auto name = find_member(item, "filename");
    const bool is_named = name && name->starts_with('"');
    all_fit = all_fit && text && text->starts_with('"');
    if (!all_fit) return;
    out.append(out.size() > 1 ? "," : "").append("{\"path\":").append(is_named ? *name : k_empty);
    out.append(",\"content\":").append(*text).append("}");
  });
  if (!is_list || !all_fit) {
    return refuse_field("input_extra", R"(must be a list such as [{"text":"…","filename":"a.h"}])");
  }
  return out.append("]");
}

Result<std::string> infill_request(const RequestBody& body, const call::CallSpec& spec) {
  const auto before = text_field(body, "input_prefix");
  const auto line = text_field(body, "prompt");
  const auto after = text_field(body, "input_suffix");
  if (!before) return before.error();
  if (!line) return line.error();
  if (!after) return after.error();
  auto files = files_of(body);
  if (!files) return files;
  HubBody hub;
  hub.put_common(body, spec);
  hub.put("prompt", "\"" + std::string(inside(*before)) + std::string(inside(*line)) + "\"");
  hub.put("suffix", *after);
  hub.put(k_files_field, *files);
  return hub.take();
}

Result<std::string> completion_request(const RequestBody& body, const call::CallSpec& spec) {
  const auto prompt = single_prompt(body);
  if (!prompt) return prompt.error();
  HubBody hub;
  hub.put_common(body, spec);
  hub.put("prompt", *prompt);
  return hub.take();
}

}  // namespace

const SurfaceForm& infill_form() {
  static const SurfaceForm k_form{parse_infill, llamacpp_error_body, "text/event-stream",
                                  HubForm{infill_request, llamacpp_answer, make_llamacpp_translator}};
  return k_form;
}

const SurfaceForm& llamacpp_completion_form() {
  static const SurfaceForm k_form{parse_completion, llamacpp_error_body, "text/event-stream",
                                  HubForm{completion_request, llamacpp_answer, make_llamacpp_translator}};
  return k_form;
}

}  // namespace nemo::protocol
