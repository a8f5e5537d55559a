// The OpenAI surfaces: what a request asks for, what goes upstream, what an answer and its chunks say.
// Sources: OpenAI API reference (chat completions, completions, embeddings, errors).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/call/usage.h"
#include "daemon/protocol/request_body.h"
#include "daemon/stream/chunk_reader.h"
#include "shared/money.h"
#include "shared/result.h"

namespace nemo::protocol {

// invalid_request names the field (Error::param) and says what is expected.
Result<call::CallSpec> parse_chat(const RequestBody& body);         // messages: a list that is not empty
Result<call::CallSpec> parse_completions(const RequestBody& body);  // prompt: text or a list; suffix
Result<call::CallSpec> parse_embeddings(const RequestBody& body);   // input: text or a list

// What every surface's body may add at its top level: nemo_cache, nemo_lane, nemo_tags, nemo_fallbacks, metadata.tags.
Status read_extensions(const RequestBody& body, call::CallSpec& spec);

enum class Extensions : std::uint8_t { keep, strip };  // nemo_* fields: kept for an upstream of kind nemo only

// The body for upstream: model replaced, usage asked for on a stream, extensions stripped, output capped where a budget
// says so; all else byte for byte.
std::string upstream_body(const RequestBody& body, const call::CallSpec& spec, std::string_view upstream_model,
                          Extensions extensions, std::optional<std::int64_t> output_cap = {});

// What a whole OpenAI-shaped answer says of the call.
struct AnswerFacts {
  // Output is total - prompt where that is more than completion_tokens (Gemini leaves reasoning out of them). Null
  // usage or none: nullopt.
  std::optional<call::Usage> usage;
  std::size_t content_bytes = 0;  // of its text, between the quotes: what counts when upstream stated no usage
  bool is_error = false;          // an "error", and neither choices nor data: some servers say 200 all the same
  // Of choice 0, its text or message.content as it stands between the quotes (json_text.h unescapes it); a view into
  // the answer. Empty for content in parts.
  std::string_view text = {};
};
std::optional<AnswerFacts> read_answer_facts(std::string_view answer_json);  // nullopt: not a JSON object

std::unique_ptr<stream::ChunkReader> make_openai_chunk_reader();

// A usage event's bytes with "nemo_cost":"0.00012" put into its usage object; unchanged when there is none.
std::string with_cost(std::string_view raw_event, NanoUsd cost);

// {"error":{"message","type","param","code"}}, compact, one line.
std::string error_body(const Error& error);
// The same inside a stream: "data: {...}\n\n".
std::string error_event(const Error& error);
// The event that ends every complete stream.
inline constexpr std::string_view k_openai_end = "data: [DONE]\n\n";

// What an upstream's error answer says, in any of its shapes: {"error":{…}}, {"error":"…"}, {"detail":…},
// [{"error":{…}}].
struct UpstreamComplaint {
  std::string message;  // redacted; the beginning of the body when no shape fits
  std::string type;
  std::string code;
  std::string param;
};
UpstreamComplaint read_complaint(std::string_view body);
// That complaint in the OpenAI shape, for a client: status stays upstream's.
std::string complaint_body(const UpstreamComplaint& complaint);

// The ids of a GET /models answer ({"data":[{"id"}]} or {"models":[{"id"|"name"}]}).
Result<std::vector<std::string>> read_model_ids(std::string_view body);

}  // namespace nemo::protocol
