// Makes of what a model that was not made for holes answers what belongs into the hole: fences, an echo of the prefix,
// an overlap with the suffix and what follows a stop text go. All else stays, byte for byte.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/protocol/fim/echo_filter.h"
#include "daemon/protocol/fim/fim_prompt.h"
#include "daemon/protocol/fim/overlap_filter.h"
#include "daemon/protocol/fim/stop_filter.h"
#include "daemon/protocol/translate/fence_filter.h"

namespace nemo::protocol {

// Chat models like to put code between ``` lines, which an editor would insert as they stand.
enum class Fences : std::uint8_t { keep, strip };

// What the answers of one call are cleaned of. Immutable; shared by its choices.
struct Cleaning {
  Fences fences = Fences::keep;
  std::string prefix = {};  // its end, as far as an echo is looked for
  SuffixStart suffix{std::string_view()};
  std::vector<std::string> stops = {};  // see fit_stops()
};

// Of a hole that a chat model fills.
std::shared_ptr<const Cleaning> clean_hole(const FimPrompt& hole, std::vector<std::string> stops);
// Nothing but the stop texts.
std::shared_ptr<const Cleaning> clean_stops(std::vector<std::string> stops);

// One choice of an answer. One thread. What it is given is whole characters. Text is held back only while it may still
// be part of what goes; each filter says how much that is at most.
class AnswerCleaner {
 public:
  explicit AnswerCleaner(std::shared_ptr<const Cleaning> cleaning);

  void push(std::string_view text, std::string& out);
  void finish(std::string& out);  // the last piece has come
  // A stop text has come: nothing of this choice follows.
  bool has_stopped() const { return m_stops.has_stopped(); }

 private:
  void pass(std::string_view text, std::string& out);

  std::shared_ptr<const Cleaning> m_cleaning;
  FenceFilter m_fences;
  EchoFilter m_echo;
  StopFilter m_stops;
  OverlapFilter m_overlap;
  bool m_is_finished = false;
};

}  // namespace nemo::protocol
