// A surface served by way of its hub: told in OpenAI's form first, then held with upstream as any call in that form.
#pragma once

#include <memory>

#include "daemon/protocol/cache_marks.h"
#include "daemon/protocol/conversation.h"
#include "daemon/protocol/surface_form.h"

namespace nemo::protocol {

std::unique_ptr<Conversation> make_hub_conversation(Dialect dialect, const Talk& talk, const HubForm& form);

// The request in its hub's form, with what is read of it. `form` has a hub.
struct HubRequest {
  RequestBody body;
  call::CallSpec spec;  // its surface is the hub's own
};
Result<HubRequest> tell_in_hub(const SurfaceForm& form, const RequestBody& body, const call::CallSpec& spec,
                               CacheMarks marks = CacheMarks::strip);

}  // namespace nemo::protocol
