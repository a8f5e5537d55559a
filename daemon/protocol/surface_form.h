// What differs between the client surfaces, one SurfaceForm for each (surfaces/): how a request is read, how errors are
// told, and how a call is told in the OpenAI form that it is served through (call::Hub).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/call/surface.h"
#include "daemon/protocol/request_body.h"
#include "daemon/stream/translator.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::protocol {

// What the path of a request says, for surfaces where the body does not (Gemini).
struct PathWords {
  std::string model;           // empty: nothing
  std::optional<bool> stream;  // absent: the body says
};

// What an answer may need to know of its request. References hold until the call's request has been sent; a translator
// copies what it needs.
struct Telling {
  const RequestBody& body;  // as the client sent it
  const call::CallSpec& spec;
  WallTime at;             // when the call came
  std::string_view model;  // the catalog id that answers
};

// A surface that is not one of OpenAI's three forms itself, told in one of them. Answers and events that come in are
// OpenAI's, whatever upstream speaks; a stream always states its usage (stream_options.include_usage is set).
struct HubForm {
  // The body in the hub's form, "model" included as the client named it (left out if it did not). invalid_request
  // names the client's own field. Fields the hub knows too go over as they stand; unknown ones are dropped knowingly.
  Result<std::string> (*request)(const RequestBody& body, const call::CallSpec& spec);
  // A whole answer in the hub's form -> the client's. upstream_error: it is not what it should be.
  Result<std::string> (*answer)(std::string_view hub_answer, const Telling& telling);
  // The hub's events -> the client's. An OpenAI error event ({"error":…}) is told as break_off() does.
  std::unique_ptr<stream::Translator> (*translator)(const Telling& telling);
};

struct SurfaceForm {
  // Reads what the daemon must know and leaves the rest to translation. invalid_request names the field (Error::param)
  // and what is expected. spec.surface is the surface's own.
  Result<call::CallSpec> (*parse)(const RequestBody& body, const PathWords& path);
  std::string (*error_body)(const Error& error);  // whole, compact, one line; upstream_rejected included
  std::string_view stream_type = "text/event-stream";
  std::optional<HubForm> hub = {};  // absent: it is its hub's form itself
};

const SurfaceForm& form_of(call::Surface surface);

}  // namespace nemo::protocol
