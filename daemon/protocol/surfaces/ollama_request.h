// What the requests of Ollama's three surfaces share, read and told in OpenAI's words; and its errors.
// Source: Ollama API reference (docs/api.md: parameters, options, errors).
#pragma once

#include <string>
#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/protocol/request_body.h"
#include "shared/result.h"

namespace nemo::protocol {

// Model (":latest" is Ollama's word for no tag, and taken off), options.num_predict, and the extensions of every
// surface. Where `surface` streams, it does unless the request says otherwise.
Result<call::CallSpec> read_ollama_request(const RequestBody& body, call::Surface surface);

// A JSON object in the making: `raw` is left out when it is empty.
class HubBody {
 public:
  void put(std::string_view key, std::string_view raw);
  std::string take();

 private:
  std::string m_json;
};

// The model, what of `options`, `format` and `think` OpenAI has a word for, the stream, and Nemo's own extensions.
// What only a machine of one's own heeds (num_ctx, mirostat, keep_alive and the like) is left out.
Status put_ollama_settings(const RequestBody& body, const call::CallSpec& spec, HubBody& out);

enum class Stops : std::uint8_t { all, first_four };  // most chat upstreams refuse more than four
// options.stop
Status put_stops(const RequestBody& body, Stops which, HubBody& out);

std::string ollama_error_body(const Error& error);  // {"error":"text"}
std::string ollama_error_line(const Error& error);  // the same as a stream's line

}  // namespace nemo::protocol
