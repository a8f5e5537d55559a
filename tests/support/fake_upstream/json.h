// The one place that names the JSON library of the fake upstream.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace nemo::fake_upstream {

using Json = nlohmann::ordered_json;

// Text that is not UTF-8 (a request body may be anything) is shown with replacement characters.
inline std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Empty: there is no such text.
inline std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace nemo::fake_upstream
