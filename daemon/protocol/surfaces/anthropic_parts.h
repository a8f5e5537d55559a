// Anthropic's content blocks as parts of a chat message. Source: Anthropic API reference (messages, vision, documents).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/json_cursor.h"
#include "shared/result.h"

namespace nemo::protocol {

// Raw values of a block; empty: not there, or null.
struct ContentBlock {
  std::string_view type, text, source, id, name, input, tool_use_id, content, is_error;
  std::string_view thinking, signature, data, cache_control;
};
// Stands before the object and passes it.
ContentBlock read_content_block(JsonCursor& cursor);

enum class Texts : std::uint8_t { joined, apart };

// The parts of one message.
class ChatParts {
 public:
  // `body` stands between quotes; `cache_control` is raw and may be empty.
  void add_text(std::string_view body, std::string_view cache_control);
  void add_image(std::string_view url_body, std::string_view cache_control);
  void add_all(const ChatParts& others);
  // Puts `text` before the first text, or makes it the only one.
  void begin_with(std::string_view text);
  // The last part, unless it says so itself.
  void keep_cached(std::string_view cache_control);
  bool empty() const { return m_count == 0; }
  // Raw: one text for what is one text, since not every server takes lists; otherwise a list of parts.
  std::string content(Texts texts) const;

 private:
  void add(std::string_view part);

  std::string m_json;   // with commas
  std::string m_texts;  // all texts, between the quotes
  std::size_t m_count = 0;
  std::size_t m_first_text = std::string::npos;  // where the first text begins in m_json
  bool m_is_plain = true;                        // texts without cache_control alone
  bool m_last_is_cached = false;
};

// base64 and url sources; `path` is the block's.
Status add_image(const ContentBlock& block, const std::string& path, ChatParts& parts);
// Plain text and content documents; a PDF is refused.
Status add_document(const ContentBlock& block, const std::string& path, ChatParts& parts);

}  // namespace nemo::protocol
