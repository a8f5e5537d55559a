// Gemini's Schema as JSON Schema. Source: Gemini API reference (Schema: a part of OpenAPI 3.0, types in capitals).
#pragma once

#include <string>
#include <string_view>

namespace nemo::protocol {

// `schema` is raw and has been checked to be JSON. Types become lower case, "nullable" a null among the types, numbers
// that are written as texts numbers; propertyOrdering, example and the format "enum" say nothing to JSON Schema and are
// left out; what JSON Schema knows too stays as it is.
std::string json_schema_of(std::string_view schema);

}  // namespace nemo::protocol
