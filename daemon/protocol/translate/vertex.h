// What Vertex AI speaks beside OpenAI's and Anthropic's dialects: Mistral's rawPredict (chat, fill in the middle) and
// embeddings by :predict and :embedContent. Sources: Mistral API reference (FIM), Vertex AI reference (text
// embeddings).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/protocol/fim/fim_prompt.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/request_body.h"
#include "daemon/stream/translator.h"
#include "shared/result.h"

namespace nemo::protocol {

// /v1/completions as fill in the middle: prompt, suffix, max_tokens, temperature, top_p, stop, seed -> random_seed.
// `upstream_model` without its "@version". `hole` (find_hole): in its words, where the prompt was rendered or has files
// beside it; null: prompt and suffix as they stand.
Result<std::string> completions_request_to_fim(const RequestBody& body, const call::CallSpec& spec,
                                               const FimPrompt* hole, std::string_view upstream_model,
                                               std::optional<std::int64_t> output_cap);
// Mistral answers in chat's shape; these give it the completions' one.
Result<std::string> fim_answer_to_completions(std::string_view answer);
std::unique_ptr<stream::Translator> make_fim_to_completions_translator();

Result<std::string> embeddings_request_to_predict(const RequestBody& body, const call::CallSpec& spec);
std::optional<AnswerFacts> read_predict_facts(std::string_view answer);
Result<std::string> predict_answer_to_embeddings(std::string_view answer, const RequestBody& request,
                                                 std::string_view model);

Result<std::string> embeddings_request_to_embed_content(const RequestBody& body, const call::CallSpec& spec);
std::optional<AnswerFacts> read_embed_content_facts(std::string_view answer);
Result<std::string> embed_content_answer_to_embeddings(std::string_view answer, const RequestBody& request,
                                                       std::string_view model);

}  // namespace nemo::protocol
