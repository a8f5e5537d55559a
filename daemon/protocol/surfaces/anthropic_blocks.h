// The content blocks of one streamed message, in order, as far as they are not out yet. Source: Anthropic API reference
// (streaming messages).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/protocol/surfaces/anthropic_arguments.h"

namespace nemo::protocol {

inline constexpr std::string_view k_message_stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

// An element of a chunk's tool_calls. Id and name stand between their quotes; empty: not given.
struct CallPiece {
  std::optional<std::int64_t> index;
  std::string_view id, name;
  std::string_view arguments;  // raw: a text, or an object
};

// One thread. Takes pieces of blocks, and shows them as events: the first block as it grows, those behind it when it is
// complete. Texts stand between their quotes.
class MessageBlocks {
 public:
  static constexpr std::size_t k_most_calls = 256;  // in one message; real ones have some ten
  // Held back for blocks whose turn has not come; a file written by a tool is far smaller.
  static constexpr std::size_t k_most_waiting = std::size_t{16} << 20U;

  void name_calls_after(std::string_view message_id_body) { m_message = message_id_body; }

  void say(std::string_view body);
  void think(std::string_view body);
  void sign(std::string_view signature);  // the thinking that came last, which ends with it; empty: nothing
  bool is_thinking() const {              // and has no signature yet
    return !m_blocks.empty() && m_blocks.back().kind == Kind::thinking && !m_blocks.back().is_signed;
  }
  void add_whole(std::string_view block);  // complete as it is: raw JSON
  void call(const CallPiece& piece);

  void show(std::string& out);      // what is due now
  void show_all(std::string& out);  // all there is; what is incomplete stays open
  void end_all(std::string& out);   // all there is, and ends it
  std::size_t calls() const { return m_calls.size(); }
  const char* fault() const { return m_fault; }  // null: none. Nothing more is to be given to it

 private:
  enum class Kind : std::uint8_t { text, thinking, tool, whole };
  struct Block {
    Kind kind = Kind::text;
    std::string id, name;  // of a tool
    std::string waiting;   // not shown yet; of `whole`, the block itself
    std::string signature;
    ArgumentsScan arguments;
    bool has_begun = false;
    bool is_signed = false;
  };
  struct Call {
    std::int64_t index = 0;
    std::string id;         // as upstream gave it
    std::size_t place = 0;  // of its block, counted from the message's first
  };

  Block& last(Kind kind);
  Block* block_of(const Call& call);  // null: it has ended
  Call* find_call(const CallPiece& piece);
  Call* make_call(const CallPiece& piece);
  void add_waiting(Block& block, std::string_view body);
  bool is_complete(const Block& block) const;
  void begin_first(std::string& out);
  void show_first(std::string& out);
  void end_first(std::string& out);
  void drop_first();
  void append_head(std::string_view event, std::string& out) const;
  void append_delta(std::string_view head, std::string_view body, std::string& out) const;

  std::string m_message = "0";
  std::deque<Block> m_blocks;  // the first is the one that is being shown
  std::size_t m_ended = 0;     // blocks before it
  std::vector<Call> m_calls;
  std::size_t m_waiting = 0;  // bytes
  const char* m_fault = nullptr;
};

}  // namespace nemo::protocol
