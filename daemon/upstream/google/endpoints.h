// Where Vertex AI serves a model and what is spoken there. Pure functions; a URL never holds a secret.
// Sources: the clients @anthropic-ai/vertex-sdk 1.1, @mistralai/mistralai-gcp 2.0 and @ai-sdk/google-vertex 4.0;
// Vertex AI reference (text embeddings; generateContent; calling Vertex AI with the OpenAI library).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace nemo::upstream::google {

enum class Wire : std::uint8_t {
  openai,         // endpoints/openapi/chat/completions
  claude,         // :rawPredict, :streamRawPredict; Messages without a model, with an anthropic_version
  mistral,        // :rawPredict, :streamRawPredict; chat or fill in the middle by what the body holds
  predict,        // embeddings, some texts a call
  embed_content,  // embeddings, one text a call
  gemini,         // :generateContent, :streamGenerateContent; the model in the URL only
};

struct Served {
  Wire wire = Wire::openai;
  std::string publisher;   // in the URL; empty for Wire::openai
  std::string url_model;   // in the URL; empty for Wire::openai
  std::string body_model;  // what the body's "model" says; empty: the body has none
};

// `publisher` as the catalog has it ("config" for a model that only the config names: the name then decides);
// `model`: the deployment's name for it, by default the catalog id.
// invalid_config: a model whose wire format is not spoken here (multimodalembedding).
Result<Served> served_as(std::string_view publisher, std::string_view model);
// For callers that speak generateContent themselves; nullopt: the model does not.
std::optional<Served> served_as_gemini(std::string_view publisher, std::string_view model);

struct Place {
  std::string project;
  std::string location;  // "europe-west4", "global", "us" or "eu"
  std::string base_url;  // in place of Google's scheme and host, "http://127.0.0.1:8080"; empty: Google's
};

// invalid_config names what is missing or cannot stand in a URL.
Status check(const Place& place);
// "https://europe-west4-aiplatform.googleapis.com"
std::string base_url_of(std::string_view location);

enum class Streamed : std::uint8_t { no, yes };
std::string url_of(const Place& place, const Served& served, Streamed streamed);

// The headers that go with every call: who pays for the quota, where that is another project. Empty: none.
std::vector<std::string> headers_for(std::string_view quota_project);

}  // namespace nemo::upstream::google
