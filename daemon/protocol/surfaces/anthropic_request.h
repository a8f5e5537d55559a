// Anthropic's Messages served through OpenAI's chat: the request. Sources: Anthropic API reference (messages, tool use,
// vision, extended thinking, prompt caching, structured outputs); OpenAI API reference (chat completions).
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "daemon/call/call_spec.h"
#include "daemon/protocol/request_body.h"
#include "shared/result.h"

namespace nemo::protocol {

// The chat body. What only Anthropic's servers can do (their tools, PDF documents, stored files, MCP servers) is an
// invalid_request that names the field. Dropped knowingly, for no answer is wrong without it: context_management,
// service_tier, inference_geo, betas, a tool's "strict" (OpenAI's rule for it is another one), a user id longer than
// OpenAI takes. Thinking that was signed goes as thinking_blocks, and all of it as reasoning_content.
Result<std::string> messages_request_to_chat(const RequestBody& body, const call::CallSpec& spec);

// The object's fields one after the other; an empty value is left out.
class ObjectText {
 public:
  void put(std::string_view key, std::string_view raw);
  bool empty() const { return m_out.size() == 1; }
  std::string take() { return std::move(m_out.append("}")); }

 private:
  std::string m_out = "{";
};

}  // namespace nemo::protocol
