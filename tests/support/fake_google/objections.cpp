#include "tests/support/fake_google/objections.h"

#include <algorithm>
#include <array>

namespace nemo::fake_google {
namespace {

using fake_upstream::text_of;

bool has_list(const Json& body, const char* name) {
  return body.contains(name) && body[name].is_array() && !body[name].empty();
}

std::string object_to_stream(const Json& body, bool streamed) {
  const bool said = body.contains("stream") && body["stream"] == true;
  if (said == streamed) return "";
  return streamed ? ":streamRawPredict wants \"stream\": true in the body" : ":rawPredict with \"stream\": true";
}

// Mistral's API reference, FIM completion.
bool is_fim_field(const std::string& name) {
  constexpr std::array<std::string_view, 11> k_fields{"model",       "prompt",      "suffix",  "max_tokens",
                                                      "min_tokens",  "temperature", "top_p",   "stop",
                                                      "random_seed", "stream",      "metadata"};
  return std::find(k_fields.begin(), k_fields.end(), name) != k_fields.end();
}

}  // namespace

bool is_served(std::string_view publisher, std::string_view model, std::string_view method) {
  const bool raw = method == "rawPredict" || method == "streamRawPredict";
  if (publisher == "anthropic") return raw && model.starts_with("claude-");
  if (publisher == "mistralai") {
    return raw && (model.starts_with("codestral") || model.starts_with("mistral-") || model.starts_with("ministral"));
  }
  if (publisher != "google") return false;
  const bool generates = method == "generateContent" || method == "streamGenerateContent";
  if (generates) return model.starts_with("gemini-") && !model.starts_with("gemini-embedding-");
  if (model.starts_with("gemini-embedding-2")) return method == "embedContent";
  return method == "predict" && (model.starts_with("text-embedding-") || model.starts_with("gemini-embedding-") ||
                                 model.starts_with("text-multilingual-embedding-"));
}

std::string object_to_chat(const Json& body) {
  if (text_of(body, "model").find('/') == std::string::npos) {
    return "the model is named with its publisher, such as google/gemini-2.5-flash";
  }
  const std::string model = text_of(body, "model");
  if (model.starts_with("anthropic/") || model.starts_with("mistralai/")) return model + " is not served here";
  return has_list(body, "messages") ? "" : "messages are missing";
}

std::string object_to_claude(const Json& body, bool streamed) {
  if (text_of(body, "anthropic_version") != "vertex-2023-10-16") {
    return "anthropic_version: \"vertex-2023-10-16\" is wanted";
  }
  if (body.contains("model")) return "model: Extra inputs are not permitted";
  if (body.contains("stream_options")) return "stream_options: Extra inputs are not permitted";
  if (!body.contains("max_tokens") || !body["max_tokens"].is_number_integer()) return "max_tokens: Field required";
  if (!has_list(body, "messages")) return "messages: Field required";
  for (const Json& message : body["messages"]) {
    const std::string role = message.is_object() ? text_of(message, "role") : "";
    if (role != "user" && role != "assistant")
      return "messages: the role \"" + role + "\" is neither user nor assistant";
    if (!message.contains("content")) return "messages: content: Field required";
    if (!message["content"].is_array()) continue;
    for (const Json& part : message["content"]) {
      if (!part.is_object() || text_of(part, "type") != "image" || !part.contains("source")) continue;
      if (text_of(part["source"], "type") != "base64") return "messages: image sources are base64 here, not URLs";
    }
  }
  return object_to_stream(body, streamed);
}

std::string object_to_mistral(const Json& body, std::string_view url_model, bool streamed) {
  const std::string_view bare = url_model.substr(0, url_model.find('@'));
  if (text_of(body, "model") != bare)
    return "model: the body names \"" + text_of(body, "model") + "\", the URL another";
  if (!body.contains("prompt")) {
    if (!has_list(body, "messages")) return "messages: Field required";
    return object_to_stream(body, streamed);
  }
  if (!bare.starts_with("codestral")) return "this model does not fill in the middle";
  for (const auto& [name, value] : body.items()) {
    if (!is_fim_field(name)) return name + ": Extra inputs are not permitted";
  }
  if (!body["prompt"].is_string()) return "prompt: a text is wanted";
  return object_to_stream(body, streamed);
}

std::string object_to_predict(const Json& body) {
  constexpr std::size_t k_most_instances = 250;
  if (!has_list(body, "instances")) return "instances are missing";
  if (body["instances"].size() > k_most_instances) return "at most 250 instances a call";
  for (const Json& instance : body["instances"]) {
    if (!instance.is_object() || !instance.contains("content") || !instance["content"].is_string()) {
      return "an instance needs its content, a text";
    }
  }
  return "";
}

std::string object_to_embed_content(const Json& body) {
  const Json content = body.value("content", Json());
  if (!content.is_object() || !has_list(content, "parts")) return "content.parts are missing";
  for (const Json& part : content["parts"]) {
    if (!part.is_object() || !part.contains("text") || !part["text"].is_string()) return "a part needs its text";
  }
  return "";
}

}  // namespace nemo::fake_google
