// One call, as it is held with an upstream: what goes up in its dialect, and how what comes back becomes an answer of
// the surface that was called. One implementation for every pair of surface and dialect (translate/).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/call/fim_form.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/request_body.h"
#include "daemon/stream/chunk_reader.h"
#include "daemon/stream/stream_tap.h"
#include "daemon/stream/translator.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::protocol {

// What upstreams speak.
enum class Dialect : std::uint8_t {
  openai,          // /chat/completions, /completions, /embeddings
  anthropic,       // Messages
  vertex_claude,   // Messages as Vertex takes them: no model in the body, anthropic_version in it
  vertex_mistral,  // chat or fill in the middle by what the body holds
  vertex_predict,  // embeddings by :predict
  vertex_embed,    // embeddings by :embedContent, one text a call
  gemini,          // generateContent
  responses,       // /responses
};

// One worker thread; one attempt. The request's body and spec outlive it.
class Conversation {
 public:
  virtual ~Conversation() = default;

  // The body to send. invalid_request names the field that this upstream cannot serve.
  virtual Result<std::string> request(std::string_view upstream_model, std::optional<std::int64_t> output_cap) = 0;

  // The rest is asked after request(). Of upstream's dialect; usage and content are what is billed.
  virtual std::unique_ptr<stream::ChunkReader> chunk_reader() const = 0;
  // Into the surface's events, or a pass-through.
  virtual std::unique_ptr<stream::Translator> stream_translator() const = 0;
  // Whether an OpenAI usage frame that the client did not ask for reaches the translator.
  virtual stream::UsageFrames usage_frames() const = 0;

  // Of a whole answer in upstream's dialect; nullopt: it is not a JSON object.
  virtual std::optional<AnswerFacts> facts(std::string_view answer) const = 0;
  // A whole answer for the client. Takes what it may move.
  virtual Result<std::string> answer(std::string upstream_answer) const = 0;
};

// Whether the surface's chat form is what this upstream is asked for a completion (config or catalog says which).
enum class Completions : std::uint8_t { native, through_chat };

struct HubRequest;

struct Talk {
  const RequestBody& body;  // as the client sent it
  const call::CallSpec& spec;
  Extensions extensions = Extensions::strip;
  Completions completions = Completions::native;
  // The longest answer of the model, which Anthropic wants stated where the caller states none. 0: not known.
  std::int64_t max_output_tokens = 0;
  WallTime at = {};             // when the call came
  std::string_view model = {};  // the catalog id that answers
  // The body in its hub's form, where somebody has told it so already. Null: not yet, or it is that form.
  const HubRequest* hub = nullptr;
  // How the answering model is told of a hole in a text, where completions are native.
  call::FimForm fim = call::FimForm::suffix;
  // What the client asked for in anthropic-beta headers. Used while the request is made.
  std::string_view betas = {};
};

// invalid_request when this surface cannot be served by that dialect.
Result<std::unique_ptr<Conversation>> make_conversation(Dialect dialect, const Talk& talk);

}  // namespace nemo::protocol
