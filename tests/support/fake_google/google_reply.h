// Answers of Google's that are sent whole, and its errors: {"error":{"code","message","status"}}, which may come inside
// a list.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/fake_upstream/endpoints.h"
#include "tests/support/fake_upstream/json.h"
#include "tests/support/fake_upstream/script.h"

namespace nemo::fake_google {

using fake_upstream::Json;
using fake_upstream::Reply;
using fake_upstream::text_of;

enum class ErrorForm { object, list };

// `headers`: whole lines, each ended by CRLF.
Reply json_reply(int status, const Json& body, double wait_ms = 0, const std::string& headers = {});
Json error_json(int status, const std::string& message, ErrorForm form);

// What the script wants refused: Google's error unless it names a shape ("array", "html", "empty", …) or an
// error_type, which makes it Anthropic's.
Reply scripted_refusal(const fake_upstream::Script& script, ErrorForm form);

// One word of the model's thoughts, counted from 0.
std::string thought(std::int64_t index);

// A body after which the connection stays, with the script's headers.
fake_upstream::Step whole_step(const fake_upstream::Script& script, const std::string& body, double wait_ms);

}  // namespace nemo::fake_google
