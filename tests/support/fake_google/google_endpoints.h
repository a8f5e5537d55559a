// Owns: which answer a request gets from the fake Google. Must not know: sockets and time.
//
//   POST /token                                     jwt-bearer (signature, claims and times are checked) or
//   refresh_token GET  /computeMetadata/v1/instance/service-accounts/default/token     only with Metadata-Flavor:
//   Google GET  /computeMetadata/v1/project/project-id POST
//   /v1/projects/P/locations/L/endpoints/openapi/chat/completions              Gemini and the models as a service POST
//   …/publishers/anthropic/models/ID:rawPredict | :streamRawPredict | count-tokens:rawPredict   Claude POST
//   …/publishers/mistralai/models/ID:rawPredict | :streamRawPredict            chat, or FIM when there is a prompt POST
//   …/publishers/google/models/ID:predict | :embedContent                      embeddings POST
//   …/publishers/google/models/ID:generateContent | :streamGenerateContent?alt=sse    Gemini natively GET
//   /control/service-account.json              a key file made at start-up; its token_uri is this server GET
//   /control/authorized-user.json              quota_project_id "nemo-quota"; needs token_url in the config POST
//   /control/google {settings, see below}      POST /control/revoke: every token given so far is refused from now on
//   GET  /journal … POST /control/rule …            as fake_upstream/endpoints.h; /control/clear clears all of it
//   In /journal/summary "other" counts "POST /token" and the metadata server's paths.
//
// Vertex paths want a good token (else 401), the project (else 403), one of the locations and a model of the right
// publisher (else 404), and what each wire format wants of the body (else 400): Google's error, as a list when so set.
//
// NUMBERS. All are counted as fake_upstream/ask.h says: input is, for each message, its text's bytes / 4 rounded up + 3
// (+ 258 for an image); for prompt, suffix and embedding texts bytes / 4 rounded up; output is 12 words unless the
// script's `tokens` or the request's max_tokens says less; a tool call costs its arguments' bytes / 8 rounded up.
//   google/* on the OpenAI wire   reasoning_tokens (7 unless scripted) are outside completion_tokens, inside
//                                 total_tokens and billed as output: prompt p -> p, 12, p + 19; billed 19
//   other models on it            the same 7 are inside completion_tokens: p, 19, p + 19; billed 19
//   Claude                        see claude_answer.h: 12; with thinking 19; tokens read from the cache are the
//                                 script's cached_tokens, those written the setting cache_write_tokens
//   Mistral                       no reasoning: p, 12, p + 12. A stream has its usage on the chunk that finishes.
//   Gemini natively               see gemini_answer.h: p, 12, 7 thoughts, p + 19; billed 19
//   embeddings                    input only; 64 dimensions unless outputDimensionality says otherwise
// The journal's billed.input_tokens is the whole input (cached part included), billed.output_tokens has the reasoning
// in it, whatever the wire format calls them. Its model is the body's on the OpenAI wire and the URL's everywhere else.
// Scripts (POST /control/rule) apply by that name; on Claude's streams only pace, cuts, stalls and error events.
// hold_after_chunks is for the OpenAI wire and Mistral's; hold for all. POST /control/google shuts the gate too.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tests/support/fake_google/google_reply.h"
#include "tests/support/fake_google/token_desk.h"
#include "tests/support/fake_upstream/endpoints.h"

namespace nemo::fake_google {

// Each is a key of POST /control/google; what is not given stays as it is.
struct Settings {
  std::string project = "nemo-test";
  std::set<std::string> locations{"us-central1", "europe-west4", "global", "us", "eu"};
  std::int64_t expires_in = 3600;  // seconds, of the tokens given from now on
  std::int64_t skew_s = 0;         // how far its clock is ahead of this machine's
  bool error_list = false;         // Vertex' errors come inside a list
  double token_delay_ms = 0;       // before a token is given
  bool hold_tokens = false;        // they are given when POST /control/release says so
  std::int64_t cache_write_tokens = 0;
  bool refuse_tokens = false;  // Vertex takes no token, however new
  // token_error: {"status": 503, "error": "…", "error_description": "…", "times": 2}; null ends it; no times: for good.
  struct TokenError {
    int status = 400;
    std::string error;
    std::string description;
    std::optional<std::int64_t> times;
  };
  std::optional<TokenError> token_error;
};

class GoogleEndpoints final : public fake_upstream::Endpoints {
 public:
  explicit GoogleEndpoints(Json base_script);
  void set_port(int port);

  Reply answer(const fake_upstream::Request& request) override;

 private:
  // A Vertex path, taken apart.
  struct Target {
    std::string project;
    std::string location;
    std::string publisher;  // empty: endpoints/openapi
    std::string model;
    std::string method;
  };
  struct CallOf;  // one model call while it is answered

  std::optional<Reply> control(const fake_upstream::Request& request);
  Reply set(const Json& fields);
  Reply token_page(const fake_upstream::Request& request);
  Reply metadata_page(const fake_upstream::Request& request);
  Reply give_token(const std::string& headers);
  std::optional<Reply> scripted_token_error();

  Reply vertex(const fake_upstream::Request& request, const Target& target);
  // What keeps this request from being a model call: status and message; nothing.
  struct Objection {
    int status;
    std::string message;
  };
  std::optional<Objection> object_to(const fake_upstream::Request& request, const Target& target,
                                     const Json& body) const;
  Reply count_tokens(const fake_upstream::Request& request);
  void chat(CallOf& call);
  void claude(CallOf& call);
  void mistral(CallOf& call);
  void embeddings(CallOf& call);
  void gemini(CallOf& call);

  static std::optional<Target> read_target(std::string_view path);
  ErrorForm form() const { return m_settings.error_list ? ErrorForm::list : ErrorForm::object; }

  Settings m_settings;
  TokenDesk m_desk;
};

}  // namespace nemo::fake_google
