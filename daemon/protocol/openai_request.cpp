// What an OpenAI-shaped request asks for, and the body that goes upstream for it.
#include <algorithm>
#include <array>
#include <limits>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/stream_options.h"

namespace nemo::protocol {
namespace {

constexpr std::int64_t k_most_tokens = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t k_most_choices = 128;  // what OpenAI takes
constexpr std::size_t k_most_names = 64;      // tags or fallbacks of one call: they are stored with it
constexpr std::size_t k_longest_name = 256;

Error wrong(std::string_view field, std::string_view expected) {
  return fail(ErrorKind::invalid_request, std::string(field) + " must be " + std::string(expected), std::string(field));
}

// Null means the same as not given, everywhere.
const Field* find_given(const RequestBody& body, std::string_view key) {
  const Field* field = body.find(key);
  return field == nullptr || field->value == "null" ? nullptr : field;
}

Status read_flag(const RequestBody& body, std::string_view key, bool& flag) {
  const Field* field = find_given(body, key);
  if (field == nullptr) return Done{};
  if (field->value != "true" && field->value != "false") return wrong(key, "true or false");
  flag = field->value == "true";
  return Done{};
}

Status read_string(const RequestBody& body, std::string_view key, std::string& text) {
  const Field* field = find_given(body, key);
  if (field == nullptr) return Done{};
  auto value = read_text(field->value);
  if (!value) return wrong(key, "text");
  text = std::move(*value);
  return Done{};
}

Status read_count(const RequestBody& body, std::string_view key, std::int64_t least, std::int64_t most,
                  std::optional<std::int64_t>& count) {
  const Field* field = find_given(body, key);
  if (field == nullptr) return Done{};
  const auto value = read_integer(field->value);
  if (!value || *value < least || *value > most) {
    return wrong(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  count = value;
  return Done{};
}

bool is_list(const Field& field) {
  return field.value.front() == '[';
}

enum class Unfit : std::uint8_t { refuse, leave_out };

Status read_names(std::string_view raw, std::string_view param, Unfit unfit, std::vector<std::string>& names) {
  JsonCursor cursor(raw);
  if (cursor.peek() != '[') return unfit == Unfit::refuse ? Status(wrong(param, "a list of texts")) : Status(Done{});
  cursor.begin_array();
  while (cursor.next_element()) {
    auto name = read_text(cursor.take());
    const bool fits = name && !name->empty() && name->size() <= k_longest_name && names.size() < k_most_names;
    if (!fits && unfit == Unfit::refuse) {
      return wrong(param, "a list of at most 64 texts, each of 1 to 256 bytes");
    }
    if (fits && std::find(names.begin(), names.end(), *name) == names.end()) names.push_back(std::move(*name));
  }
  return Done{};
}

Status read_name_list(const RequestBody& body, std::string_view key, std::vector<std::string>& names) {
  const Field* field = find_given(body, key);
  return field == nullptr ? Status(Done{}) : read_names(field->value, key, Unfit::refuse, names);
}

Status read_stream_options(const RequestBody& body, call::CallSpec& spec) {
  const Field* field = find_given(body, "stream_options");
  if (field == nullptr) return Done{};
  if (field->value.front() != '{') return wrong("stream_options", "an object");
  const auto options = RequestBody::parse(std::string(field->value));
  if (!options) return wrong("stream_options", "an object that gives no field twice");
  if (Status read = read_flag(*options, "include_usage", spec.wants_usage); !read) {
    return wrong("stream_options.include_usage", "true or false");
  }
  return Done{};
}

// What all three surfaces share.
Status read_common(const RequestBody& body, call::CallSpec& spec) {
  if (Status read = read_string(body, "model", spec.model); !read) return read;
  return read_extensions(body, spec);
}

// What both surfaces that generate text share.
Status read_generation(const RequestBody& body, call::CallSpec& spec) {
  if (Status read = read_common(body, spec); !read) return read;
  if (Status read = read_flag(body, "stream", spec.stream); !read) return read;
  if (Status read = read_stream_options(body, spec); !read) return read;
  std::optional<std::int64_t> choices;
  if (Status read = read_count(body, "n", 1, k_most_choices, choices); !read) return read;
  spec.choices = choices.value_or(1);
  spec.answers = spec.choices;
  std::optional<std::int64_t> newer;
  if (Status read = read_count(body, "max_tokens", 0, k_most_tokens, spec.max_tokens); !read) return read;
  if (Status read = read_count(body, "max_completion_tokens", 0, k_most_tokens, newer); !read) return read;
  // Both given: which one counts is upstream's affair, and the larger bounds the cost.
  if (newer) spec.max_tokens = std::max(*newer, spec.max_tokens.value_or(0));
  return Done{};
}

Status read_tools(const RequestBody& body, std::string_view key, call::CallSpec& spec) {
  const Field* tools = find_given(body, key);
  if (tools == nullptr) return Done{};
  if (!is_list(*tools)) return wrong(key, "a list");
  if (tools->item_count == 0) return Done{};
  spec.has_tools = true;
  spec.prompt_bytes += tools->value.size();
  return Done{};
}

// Text, a list of texts, a list of tokens, or a list of such lists.
bool is_prompt(const Field& field) {
  if (field.value.front() == '"') return true;
  return is_list(field) && field.item_count != 0 && field.items != Items::mixed && field.items != Items::objects;
}

// In the field that the caller used, and in both where it used both.
void cap_output(const RequestBody& body, std::int64_t cap, FieldEdit& edit) {
  const bool newer = find_given(body, "max_completion_tokens") != nullptr;
  if (newer) edit.set("max_completion_tokens", std::to_string(cap));
  if (!newer || find_given(body, "max_tokens") != nullptr) edit.set("max_tokens", std::to_string(cap));
}

}  // namespace

Status read_extensions(const RequestBody& body, call::CallSpec& spec) {
  bool cache = true;
  if (Status read = read_flag(body, "nemo_cache", cache); !read) return read;
  if (Status read = read_string(body, "nemo_lane", spec.lane); !read) return read;
  if (Status read = read_name_list(body, "nemo_tags", spec.tags); !read) return read;
  if (Status read = read_name_list(body, "nemo_fallbacks", spec.fallbacks); !read) return read;
  // metadata belongs to the caller: tags that do not look like ours are none of our business.
  const Field* metadata = find_given(body, "metadata");
  const auto tags = metadata == nullptr ? std::nullopt : find_member(metadata->value, "tags");
  return tags ? read_names(*tags, "metadata.tags", Unfit::leave_out, spec.tags) : Status(Done{});
}

Result<call::CallSpec> parse_chat(const RequestBody& body) {
  call::CallSpec spec;
  spec.surface = call::Surface::openai_chat;
  if (Status read = read_generation(body, spec); !read) return read.error();
  const Field* messages = body.find("messages");
  if (messages == nullptr) return fail(ErrorKind::invalid_request, "messages is missing", "messages");
  if (!is_list(*messages) || messages->items != Items::objects) {
    return wrong("messages", "a list of objects that is not empty");
  }
  spec.prompt_bytes = messages->value.size();
  if (Status read = read_tools(body, "tools", spec); !read) return read.error();
  if (Status read = read_tools(body, "functions", spec); !read) return read.error();
  return spec;
}

Result<call::CallSpec> parse_completions(const RequestBody& body) {
  call::CallSpec spec;
  spec.surface = call::Surface::openai_completions;
  if (Status read = read_generation(body, spec); !read) return read.error();
  const Field* prompt = body.find("prompt");
  if (prompt == nullptr && body.find("segments") != nullptr) {
    return fail(ErrorKind::invalid_request,
                "this is a request in Tabby's shape (segments), which is not served here; set the editor to OpenAI "
                "completions (prompt and suffix), or to llama.cpp's /infill",
                "segments");
  }
  if (prompt == nullptr) return fail(ErrorKind::invalid_request, "prompt is missing", "prompt");
  if (!is_prompt(*prompt)) return wrong("prompt", "text, or a list of texts or tokens that is not empty");
  spec.prompt_bytes = prompt->value.size();
  std::optional<std::int64_t> best_of;
  if (Status read = read_count(body, "best_of", 1, k_most_choices, best_of); !read) return read.error();
  const bool is_several = prompt->items == Items::texts || prompt->items == Items::lists;
  const auto prompts = is_several ? static_cast<std::int64_t>(prompt->item_count) : 1;
  spec.answers = prompts * std::max(spec.choices, best_of.value_or(1));
  if (const Field* suffix = find_given(body, "suffix"); suffix != nullptr) {
    if (suffix->value.front() != '"') return wrong("suffix", "text");
    spec.fill_in_middle = true;
    spec.prompt_bytes += suffix->value.size();
  }
  return spec;
}

Result<call::CallSpec> parse_embeddings(const RequestBody& body) {
  call::CallSpec spec;
  spec.surface = call::Surface::openai_embeddings;
  if (Status read = read_common(body, spec); !read) return read.error();
  const Field* input = body.find("input");
  if (input == nullptr) return fail(ErrorKind::invalid_request, "input is missing", "input");
  if (!is_prompt(*input)) return wrong("input", "text, or a list of texts or tokens that is not empty");
  spec.prompt_bytes = input->value.size();
  return spec;
}

std::string upstream_body(const RequestBody& body, const call::CallSpec& spec, std::string_view upstream_model,
                          Extensions extensions, std::optional<std::int64_t> output_cap) {
  FieldEdit edit;
  const Field* model = body.find("model");
  if (model == nullptr || read_text(model->value) != upstream_model) edit.set("model", quote_json(upstream_model));
  if (spec.stream && spec.surface != call::Surface::openai_embeddings) {
    const Field* given = body.find("stream_options");
    std::string options = stream_options_with_usage(body);
    if (given == nullptr || given->value != options) edit.set("stream_options", std::move(options));
  }
  if (extensions == Extensions::strip) {
    constexpr std::array<const char*, 4> k_ours{"nemo_cache", "nemo_tags", "nemo_lane", "nemo_fallbacks"};
    for (const char* key : k_ours) {
      if (body.find(key) != nullptr) edit.remove(key);
    }
  }
  if (output_cap) cap_output(body, *output_cap, edit);
  return edit.empty() ? std::string(body.bytes()) : edit.apply(body);
}

}  // namespace nemo::protocol
