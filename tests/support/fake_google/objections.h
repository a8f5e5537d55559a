// What Vertex' wire formats want of a request; empty: it is as it should be.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/fake_upstream/json.h"

namespace nemo::fake_google {

using fake_upstream::Json;

// Whether such a model is served by that publisher under that method ("rawPredict", …).
bool is_served(std::string_view publisher, std::string_view model, std::string_view method);

// What is wrong with a body, in words.
std::string object_to_chat(const Json& body);
std::string object_to_claude(const Json& body, bool streamed);
std::string object_to_mistral(const Json& body, std::string_view url_model, bool streamed);
std::string object_to_predict(const Json& body);
std::string object_to_embed_content(const Json& body);

}  // namespace nemo::fake_google
