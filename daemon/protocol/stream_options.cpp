#include "daemon/protocol/stream_options.h"

#include "daemon/protocol/field_edit.h"

namespace nemo::protocol {

std::string stream_options_with_usage(const RequestBody& body) {
  constexpr std::string_view k_fresh = "{\"include_usage\":true}";
  const Field* field = body.find("stream_options");
  if (field == nullptr || field->value.front() != '{') return std::string(k_fresh);
  const auto options = RequestBody::parse(std::string(field->value));
  if (!options) return std::string(k_fresh);
  if (const Field* asked = options->find("include_usage"); asked != nullptr && asked->value == "true") {
    return std::string(field->value);
  }
  FieldEdit edit;
  edit.set("include_usage", "true");
  return edit.apply(*options);
}

}  // namespace nemo::protocol
