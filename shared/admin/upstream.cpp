#include "shared/admin/upstream.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

void to_json(Json& json, const UpstreamKey& value) {
  FieldWriter writer(json);
  writer("key", std::string(value.key.expose()));
}

void from_json(const Json& json, UpstreamKey& value) {
  std::string text;
  FieldReader reader(json);
  reader("key", text);
  value.key = Secret(std::move(text));
}

void to_json(Json& json, const ProbeReply& value) {
  FieldWriter writer(json);
  writer("models", value.models);
}

void from_json(const Json& json, ProbeReply& value) {
  FieldReader reader(json);
  reader("models", value.models);
}

}  // namespace nemo::admin
