#include "daemon/protocol/surfaces/gemini_request.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/surfaces/gemini_contents.h"
#include "daemon/protocol/surfaces/gemini_fields.h"
#include "daemon/protocol/surfaces/gemini_schema.h"
#include "daemon/protocol/surfaces/gemini_tools.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::string_view k_config = "generationConfig";
constexpr std::int64_t k_most_tokens = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t k_most_candidates = 8;  // what Google takes

std::string in_config(std::string_view name) {
  return std::string(k_config) + "." + std::string(name);
}

Status read_count(std::string_view raw, std::string_view name, std::int64_t least, std::int64_t most,
                  std::optional<std::int64_t>& count) {
  if (raw.empty()) return Done{};
  const auto value = read_integer(raw);
  if (!value || *value < least || *value > most) {
    return refuse_field(in_config(name),
                        "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  count = value;
  return Done{};
}

Status read_config(const RequestBody& body, call::CallSpec& spec) {
  if (Status once = refuse_twice(body, k_config); !once) return once;
  const std::string_view raw = spelled_value(body, k_config);
  if (raw.empty()) return Done{};
  if (raw.front() != '{') return refuse_field(k_config, "must be an object");
  const auto config = RequestBody::parse(std::string(raw));
  if (!config) return refuse_field(k_config, "must be an object that gives no field twice");
  for (const char* name : {"maxOutputTokens", "candidateCount"}) {
    if (!refuse_twice(*config, name)) return refuse_field(in_config(name), "is given twice, in two spellings");
  }
  if (Status read =
          read_count(spelled_value(*config, "maxOutputTokens"), "maxOutputTokens", 0, k_most_tokens, spec.max_tokens);
      !read) {
    return read;
  }
  if (spec.max_tokens == 0) spec.max_tokens.reset();  // ProtoJSON's way of not stating a number
  std::optional<std::int64_t> candidates;
  if (Status read =
          read_count(spelled_value(*config, "candidateCount"), "candidateCount", 0, k_most_candidates, candidates);
      !read) {
    return read;
  }
  spec.choices = std::max<std::int64_t>(candidates.value_or(1), 1);
  spec.answers = spec.choices;
  return Done{};
}

Status read_contents(const RequestBody& body, call::CallSpec& spec) {
  if (Status once = refuse_twice(body, "contents"); !once) return once;
  const Field* contents = find_spelled(body, "contents");
  if (contents == nullptr) {
    const bool is_chat = body.find("messages") != nullptr;
    return fail(ErrorKind::invalid_request,
                is_chat ? "contents is missing; a body with messages belongs to /v1/chat/completions or /v1/messages"
                        : "contents is missing",
                "contents");
  }
  const bool is_list = contents->value.front() == '[' && contents->items == Items::objects;
  if (!is_list && contents->value.front() != '{') {
    return refuse_field("contents", "must be a list of objects that is not empty");
  }
  spec.prompt_bytes = contents->value.size() + spelled_value(body, "systemInstruction").size();
  return Done{};
}

std::string_view without_prefix(std::string_view model) {
  for (const std::string_view prefix : {"models/", "publishers/google/models/"}) {
    if (model.starts_with(prefix)) return model.substr(prefix.size());
  }
  return model;
}

// What a chat takes under other names. Raw values.
struct Config {
  std::string_view temperature, top_p, top_k, stop, seed, presence, frequency, mime_type, schema, json_schema, thinking,
      logprobs, modalities, speech;
};

Config config_of(const RequestBody& body) {
  Config config;
  read_fields(spelled_value(body, k_config), {{"temperature", &config.temperature},
                                              {"topP", &config.top_p},
                                              {"topK", &config.top_k},
                                              {"stopSequences", &config.stop},
                                              {"seed", &config.seed},
                                              {"presencePenalty", &config.presence},
                                              {"frequencyPenalty", &config.frequency},
                                              {"responseMimeType", &config.mime_type},
                                              {"responseSchema", &config.schema},
                                              {"responseJsonSchema", &config.json_schema},
                                              {"thinkingConfig", &config.thinking},
                                              {"responseLogprobs", &config.logprobs},
                                              {"responseModalities", &config.modalities},
                                              {"speechConfig", &config.speech}});
  return config;
}

class ChatBody {
 public:
  void put(std::string_view key, std::string_view raw) {
    if (raw.empty()) return;
    m_out.append(m_out.size() == 1 ? "\"" : ",\"").append(key).append("\":").append(raw);
  }
  std::string finish() { return std::move(m_out.append("}")); }

 private:
  std::string m_out = "{";
};

Status put_number(std::string_view raw, std::string_view name, std::string_view key, ChatBody& chat) {
  if (!raw.empty() && raw.front() != '-' && (raw.front() < '0' || raw.front() > '9')) {
    return refuse_field(in_config(name), "must be a number");
  }
  chat.put(key, raw);
  return Done{};
}

// Gemini's own default says nothing, and OpenAI's servers refuse the field.
Status put_top_k(std::string_view raw, ChatBody& chat) {
  constexpr std::int64_t k_usual = 64;
  if (raw.empty()) return Done{};
  const auto number = read_integer(raw);
  if (!number) return refuse_field(in_config("topK"), "must be a whole number");
  if (*number > 0 && *number != k_usual) chat.put("top_k", std::to_string(*number));
  return Done{};
}

Status put_sampling(const Config& config, ChatBody& chat) {
  struct Number {
    std::string_view raw, name, key;
  };
  const std::array<Number, 5> numbers{{{config.temperature, "temperature", "temperature"},
                                       {config.top_p, "topP", "top_p"},
                                       {config.seed, "seed", "seed"},
                                       {config.presence, "presencePenalty", "presence_penalty"},
                                       {config.frequency, "frequencyPenalty", "frequency_penalty"}}};
  for (const Number& one : numbers) {
    if (Status put = put_number(one.raw, one.name, one.key, chat); !put) return put;
  }
  if (Status put = put_top_k(config.top_k, chat); !put) return put;
  if (!config.stop.empty() && config.stop.front() != '[') {
    return refuse_field(in_config("stopSequences"), "must be a list of texts");
  }
  JsonCursor cursor(config.stop);
  if (!config.stop.empty() && cursor.begin_array() && cursor.next_element()) chat.put("stop", config.stop);
  return Done{};
}

Status put_format(const Config& config, ChatBody& chat) {
  const std::string_view type = text_body(config.mime_type);
  const std::string_view schema = config.json_schema.empty() ? config.schema : config.json_schema;
  if (!schema.empty() && schema.front() != '{') {
    return refuse_field(in_config(config.json_schema.empty() ? "responseSchema" : "responseJsonSchema"),
                        "must be an object");
  }
  if (!type.empty() && type != "application/json" && type != "text/plain") {
    return refuse_field(in_config("responseMimeType"),
                        "must be text/plain or application/json for this model's upstream");
  }
  if (type == "text/plain") return Done{};
  if (!schema.empty()) {
    const std::string told = config.json_schema.empty() ? json_schema_of(schema) : std::string(schema);
    chat.put("response_format", R"({"type":"json_schema","json_schema":{"name":"answer","schema":)" + told + "}}");
  } else if (!type.empty()) {
    chat.put("response_format", R"({"type":"json_object"})");
  }
  return Done{};
}

// A budget of -1 leaves it to the model, as saying nothing does. The levels are those by which Vertex AI's OpenAI
// endpoint turns efforts into budgets.
Status put_thinking(const Config& config, ChatBody& chat) {
  constexpr std::int64_t k_low = 1'024;
  constexpr std::int64_t k_medium = 8'192;
  if (config.thinking.empty()) return Done{};
  std::string_view budget, level;
  if (!read_fields(config.thinking, {{"thinkingBudget", &budget}, {"thinkingLevel", &level}})) {
    return refuse_field(in_config("thinkingConfig"), "must be an object");
  }
  if (!level.empty()) {
    for (const std::string_view known : {"minimal", "low", "medium", "high"}) {
      std::string capitals(known);
      for (char& c : capitals) c = static_cast<char>(c - 'a' + 'A');
      if (text_body(level) == capitals || text_body(level) == known) {
        chat.put("reasoning_effort", quote_json(known));
        return Done{};
      }
    }
    if (level == "\"THINKING_LEVEL_UNSPECIFIED\"") return Done{};
    return refuse_field(in_config("thinkingConfig.thinkingLevel"), "must be MINIMAL, LOW, MEDIUM or HIGH");
  }
  if (budget.empty()) return Done{};
  const auto tokens = read_integer(budget);
  if (!tokens || *tokens < -1)
    return refuse_field(in_config("thinkingConfig.thinkingBudget"), "must be a whole number");
  if (*tokens == 0) chat.put("reasoning_effort", "\"none\"");
  if (*tokens > 0) {
    chat.put("reasoning_effort", *tokens <= k_low ? "\"low\"" : *tokens <= k_medium ? "\"medium\"" : "\"high\"");
  }
  return Done{};
}

Status refuse_unserved(const RequestBody& body, const Config& config) {
  if (!text_body(spelled_value(body, "cachedContent")).empty()) {
    return refuse_field("cachedContent",
                        "a prompt that is kept at Google cannot be read by this model's upstream; send it whole");
  }
  if (config.logprobs == "true") {
    return refuse_field(in_config("responseLogprobs"), "cannot be served by this model's upstream; leave it out");
  }
  if (!config.speech.empty()) return refuse_field(in_config("speechConfig"), "only text can be answered here");
  bool only_text = true;
  JsonCursor cursor(config.modalities.empty() ? std::string_view("[]") : config.modalities);
  each_element(cursor, [&] {
    const std::string_view one = text_body(cursor.take());
    only_text = only_text && (one == "TEXT" || one == "text" || one == "MODALITY_UNSPECIFIED");
  });
  if (!only_text) return refuse_field(in_config("responseModalities"), "only TEXT can be answered here");
  return Done{};
}

void put_extensions(const RequestBody& body, ChatBody& chat) {
  for (const char* key : {"nemo_cache", "nemo_tags", "nemo_lane", "nemo_fallbacks"}) {
    chat.put(key, given_value(body, key));
  }
}

}  // namespace

Result<call::CallSpec> parse_gemini(const RequestBody& body, const PathWords& path) {
  call::CallSpec spec;
  spec.surface = call::Surface::gemini;
  spec.model = without_prefix(path.model);
  if (spec.model.empty()) spec.model = without_prefix(read_text(given_value(body, "model")).value_or(""));
  spec.stream = path.stream.value_or(false);
  if (Status read = read_extensions(body, spec); !read) return read.error();
  if (Status read = read_contents(body, spec); !read) return read.error();
  if (Status read = read_config(body, spec); !read) return read.error();
  const std::string_view tools = spelled_value(body, "tools");
  spec.has_tools = !tools.empty() && tools != "[]";
  if (spec.has_tools) spec.prompt_bytes += tools.size();
  return spec;
}

Result<std::string> gemini_request_to_chat(const RequestBody& body, const call::CallSpec& spec) {
  const Config config = config_of(body);
  if (Status served = refuse_unserved(body, config); !served) return served.error();
  const auto messages = chat_messages_of(spelled_value(body, "contents"), spelled_value(body, "systemInstruction"));
  if (!messages) return messages.error();
  const auto tools = chat_tools_of(spelled_value(body, "tools"), spelled_value(body, "toolConfig"));
  if (!tools) return tools.error();
  ChatBody chat;
  if (!spec.model.empty()) chat.put("model", quote_json(spec.model));
  chat.put("messages", "[" + *messages + "]");
  chat.put("tools", tools->tools);
  chat.put("tool_choice", tools->choice);
  if (spec.stream) {
    chat.put("stream", "true");
    chat.put("stream_options", R"({"include_usage":true})");
  }
  if (spec.max_tokens) chat.put("max_tokens", std::to_string(*spec.max_tokens));
  if (spec.choices > 1) chat.put("n", std::to_string(spec.choices));
  if (Status put = put_sampling(config, chat); !put) return put.error();
  if (Status put = put_format(config, chat); !put) return put.error();
  if (Status put = put_thinking(config, chat); !put) return put.error();
  put_extensions(body, chat);
  return chat.finish();
}

bool wants_thoughts(const RequestBody& body) {
  std::string_view thinking, include;
  read_fields(spelled_value(body, k_config), {{"thinkingConfig", &thinking}});
  read_fields(thinking, {{"includeThoughts", &include}});
  return include == "true";
}

}  // namespace nemo::protocol
