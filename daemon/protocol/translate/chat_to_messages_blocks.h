// The content of a chat message as Anthropic's content blocks. Source: Anthropic API reference (messages, vision, PDF
// support, prompt caching).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/translate/anthropic.h"
#include "shared/result.h"

namespace nemo::protocol {

// Blocks with commas between them, as they go into a list.
class BlockList {
 public:
  void add(std::string_view block);
  // `body` stands between quotes; white space alone is left out, for Anthropic refuses it. `cache_control` is raw and
  // may be empty.
  void add_text(std::string_view body, std::string_view cache_control = {});
  void add_thinking(std::string_view block);
  void add_all(const BlockList& others);
  // Cuts the white space at the end of the last block, if that is text: Anthropic refuses it in an answer that it is to
  // go on with.
  void trim_last_text();
  bool empty() const { return m_json.empty(); }
  bool begins_with_thinking() const { return m_begins_with_thinking; }
  const std::string& json() const { return m_json; }

 private:
  std::string m_json;
  std::size_t m_text_begin = 0;  // of the last block's text, between its quotes
  std::size_t m_text_end = 0;    // 0: the last block is no text
  bool m_begins_with_thinking = false;
};

enum class ContentOf : std::uint8_t { system, user, assistant, tool };

// `content` is raw: text, a list of parts, or null. Parts that carry cache_control keep it; for a tool's answer it goes
// to `cache_control`, since only the block around them takes it. Errors name the part behind `path`.
Status append_content(std::string_view content, std::string_view path, ContentOf whose, MessagesFor target,
                      BlockList& blocks, std::string_view& cache_control);

// Signed thinking of an earlier answer, as message_to_chat gave it out; what has no signature is left out.
Status append_thinking(std::string_view thinking_blocks, std::string_view path, BlockList& blocks);

}  // namespace nemo::protocol
