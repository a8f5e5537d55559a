#include "tests/support/fake_upstream/ask.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace nemo::fake_upstream {
namespace {

constexpr std::int64_t k_tokens_per_message = 3;
constexpr std::int64_t k_tokens_per_image = 258;
constexpr std::array<const char*, 24> k_words = {"amber",  "bridge", "candle", "delta",   "ember",  "forest",
                                                 "garden", "harbor", "island", "jasmine", "kernel", "lantern",
                                                 "meadow", "needle", "orbit",  "pebble",  "quartz", "river",
                                                 "signal", "timber", "umbra",  "valley",  "willow", "zephyr"};
constexpr std::array<const char*, 8> k_unicode_words = {
    "na\u00efve",       "Stra\u00dfe",  "\u65e5\u672c\u8a9e", "\U0001F600",
    "\U0001F680\u2728", "\u03bb\u2192", "\u0434\u0430",       "\U0001F468\u200D\U0001F4BB"};

std::int64_t tokens_of(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + 3) / 4);
}

// A small fast mixer (the finaliser of splitmix64): neighbours become unlike each other.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

std::string text_field(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool bool_field(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::optional<std::int64_t> int_field(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<std::int64_t>();
}

// Content is a text or a list of parts.
std::string content_text(const Json& message, std::int64_t& image_tokens) {
  const auto content = message.find("content");
  if (content == message.end()) return "";
  if (content->is_string()) return content->get<std::string>();
  std::string text;
  if (!content->is_array()) return text;
  for (const auto& part : *content) {
    if (!part.is_object()) continue;
    text += text_field(part, "text");
    if (part.contains("image_url")) image_tokens += k_tokens_per_image;
  }
  return text;
}

// Arguments that a schema would accept: every required property gets a value of its type.
Json arguments_for(const Json& parameters) {
  Json arguments = Json::object();
  if (!parameters.is_object() || !parameters.contains("required") || !parameters.contains("properties"))
    return arguments;
  for (const auto& name : parameters["required"]) {
    if (!name.is_string()) continue;
    const Json property = parameters["properties"].value(name.get<std::string>(), Json::object());
    const std::string type = text_field(property, "type");
    if (property.contains("enum") && property["enum"].is_array() && !property["enum"].empty()) {
      arguments[name.get<std::string>()] = property["enum"][0];
    } else if (type == "number" || type == "integer") {
      arguments[name.get<std::string>()] = 1;
    } else if (type == "boolean") {
      arguments[name.get<std::string>()] = true;
    } else if (type == "array") {
      arguments[name.get<std::string>()] = Json::array();
    } else if (type == "object") {
      arguments[name.get<std::string>()] = Json::object();
    } else {
      arguments[name.get<std::string>()] = ".";
    }
  }
  return arguments;
}

const Json* find_tool(const Json& tools, std::string_view name) {
  for (const auto& tool : tools) {
    if (!tool.is_object() || !tool.contains("function") || !tool["function"].is_object()) continue;
    if (name.empty() || text_field(tool["function"], "name") == name) return &tool["function"];
  }
  return nullptr;
}

// "use the tool NAME with {JSON}": both may be left out.
void read_tool_wish(Ask& ask, const Json& body, const std::string& prompt, const Script& script) {
  const auto tools = body.find("tools");
  if (tools == body.end() || !tools->is_array() || tools->empty() || script.tool_calls == 0) return;
  constexpr std::string_view k_wish = "use the tool";
  const auto wish = prompt.find(k_wish);
  const bool wanted = wish != std::string::npos && !ask.last_is_tool_result;
  if (!wanted && !script.tool_calls) return;
  if (ask.last_is_tool_result && !script.tool_calls) return;
  std::string name = script.tool_name.value_or("");
  std::string arguments = script.tool_arguments.value_or("");
  if (wanted) {
    std::string_view rest = std::string_view(prompt).substr(wish + k_wish.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const auto end = std::find_if(rest.begin(), rest.end(),
                                  [](unsigned char c) { return !std::isalnum(c) && c != '_' && c != '-'; });
    const std::string named(rest.begin(), end);
    if (name.empty() && find_tool(*tools, named) != nullptr) name = named;
    const auto brace = rest.find('{');
    if (arguments.empty() && brace != std::string_view::npos) {
      const auto close = rest.rfind('}');
      if (close != std::string_view::npos && close > brace) arguments = rest.substr(brace, close - brace + 1);
    }
  }
  const Json* tool = find_tool(*tools, name);
  if (tool == nullptr) return;
  ask.tool_name = text_field(*tool, "name");
  if (arguments.empty()) arguments = arguments_for(tool->value("parameters", Json::object())).dump();
  ask.tool_arguments = arguments;
}

void read_messages(Ask& ask, const Json& body, const Script& script) {
  std::string all;
  std::string last_text;
  std::string last_role;
  const auto messages = body.find("messages");
  if (messages != body.end() && messages->is_array()) {
    for (const auto& message : *messages) {
      if (!message.is_object()) continue;
      std::int64_t image_tokens = 0;
      std::string text = content_text(message, image_tokens);
      ask.input_tokens += tokens_of(text.size()) + k_tokens_per_message + image_tokens;
      all += text;
      all += '\n';
      // Some assistants remind the model of its instructions behind what the user said.
      const std::string role = text_field(message, "role");
      if (role == "system" || role == "developer") continue;
      last_role = role;
      last_text = std::move(text);
    }
  }
  ask.last_is_tool_result = last_role == "tool";
  if (ask.last_is_tool_result) ask.tool_result = last_text;
  ask.prompts.push_back(std::move(all));
  read_tool_wish(ask, body, last_role == "user" ? last_text : "", script);
}

// A text, a list of texts, a list of token ids, or a list of lists of token ids.
void read_prompts(Ask& ask, const Json& prompt) {
  if (prompt.is_string()) {
    ask.prompts.push_back(prompt.get<std::string>());
    ask.input_tokens += tokens_of(ask.prompts.back().size());
  } else if (prompt.is_array() && !prompt.empty() && prompt[0].is_number()) {
    ask.prompts.push_back(prompt.dump());
    ask.input_tokens += static_cast<std::int64_t>(prompt.size());
  } else if (prompt.is_array()) {
    for (const auto& one : prompt) read_prompts(ask, one);
  }
}

// Words keep the white space before them, so that joining them gives the text back.
std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  std::size_t start = 0;
  for (std::size_t i = 1; i <= text.size(); ++i) {
    const bool at_end = i == text.size();
    const auto is_space = [&](std::size_t at) { return std::isspace(static_cast<unsigned char>(text[at])) != 0; };
    if (at_end || (is_space(i) && !is_space(i - 1))) {
      words.push_back(text.substr(start, i - start));
      start = i;
    }
  }
  return words;
}

}  // namespace

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

Ask read_ask(AskKind kind, const Json& body, const Script& script) {
  Ask ask;
  ask.kind = kind;
  if (!body.is_object()) return ask;
  ask.model = text_field(body, "model");
  ask.stream = kind != AskKind::embedding && bool_field(body, "stream");
  if (const auto options = body.find("stream_options"); options != body.end() && options->is_object()) {
    ask.include_usage = bool_field(*options, "include_usage");
  }
  ask.max_tokens = int_field(body, "max_completion_tokens");
  if (!ask.max_tokens) ask.max_tokens = int_field(body, "max_tokens");
  if (script.ignore_max_tokens) ask.max_tokens.reset();
  if (kind == AskKind::chat) {
    read_messages(ask, body, script);
  } else if (kind == AskKind::completion) {
    read_prompts(ask, body.value("prompt", Json("")));
    ask.input_tokens += tokens_of(text_field(body, "suffix").size());
  } else {
    read_prompts(ask, body.value("input", Json("")));
    ask.base64 = text_field(body, "encoding_format") == "base64";
    ask.dimensions = std::clamp<std::int64_t>(int_field(body, "dimensions").value_or(64), 1, 4096);
  }
  if (ask.prompts.empty()) ask.prompts.emplace_back();
  if (script.prompt_tokens) ask.input_tokens = *script.prompt_tokens;
  return ask;
}

Json usage_json(const Ask& ask, const Script& script, const BilledUsage& billed) {
  Json usage;
  const std::int64_t completion =
      script.gemini_usage ? billed.output_tokens - billed.reasoning_tokens : billed.output_tokens;
  usage["prompt_tokens"] = billed.input_tokens;
  if (ask.kind != AskKind::embedding) usage["completion_tokens"] = completion;
  usage["total_tokens"] = billed.input_tokens + billed.output_tokens;
  if (billed.cached_tokens > 0) usage["prompt_tokens_details"] = {{"cached_tokens", billed.cached_tokens}};
  if (billed.reasoning_tokens > 0) usage["completion_tokens_details"] = {{"reasoning_tokens", billed.reasoning_tokens}};
  if (script.gemini_usage) usage["extra_properties"] = {{"google", {{"traffic_type", "ON_DEMAND"}}}};
  return usage;
}

Words::Words(const Ask& ask, const Script& script, std::size_t choice) : m_unicode(script.unicode) {
  if (script.content) {
    m_is_fixed = true;
    m_fixed = split_words(*script.content);
  } else if (ask.last_is_tool_result) {
    m_is_fixed = true;
    m_fixed = split_words("The tool said: " + ask.tool_result.substr(0, 400));
  }
  m_count = m_is_fixed ? static_cast<std::int64_t>(m_fixed.size()) : std::max<std::int64_t>(script.tokens, 0);
  if (ask.max_tokens && *ask.max_tokens < m_count) {
    m_count = std::max<std::int64_t>(*ask.max_tokens, 0);
    m_cut_by_limit = true;
  }
  m_pad_to = script.huge_chunk_bytes;
  m_hash = hash_of(ask.prompts[choice]) ^ mix(hash_of(ask.model)) ^ mix(hash_of(script.seed) + choice);
}

std::string Words::word(std::int64_t index) const {
  if (m_is_fixed) return m_fixed[static_cast<std::size_t>(index)];
  const std::uint64_t drawn = mix(m_hash + static_cast<std::uint64_t>(index));
  std::string word = index == 0 ? "" : " ";
  word +=
      m_unicode && index % 2 == 0 ? k_unicode_words[drawn % k_unicode_words.size()] : k_words[drawn % k_words.size()];
  if (static_cast<std::int64_t>(word.size()) < m_pad_to)
    word.append(static_cast<std::size_t>(m_pad_to) - word.size(), 'x');
  return word;
}

std::string Words::text() const {
  std::string text;
  for (std::int64_t i = 0; i < m_count; ++i) text += word(i);
  return text;
}

std::vector<float> embedding(std::string_view text, std::string_view model, std::int64_t dimensions) {
  const std::uint64_t hash = hash_of(text) ^ mix(hash_of(model));
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(dimensions));
  for (std::int64_t i = 0; i < dimensions; ++i) {
    const auto drawn = static_cast<int>(mix(hash + static_cast<std::uint64_t>(i)) % 2049U) - 1024;
    values.push_back(static_cast<float>(drawn) / 1024.0F);
  }
  return values;
}

}  // namespace nemo::fake_upstream
