// Carries one streamed answer from upstream to the client: finds its events, taps them, translates where needed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/gateway/answer.h"
#include "daemon/gateway/completing.h"
#include "daemon/gateway/settlement.h"
#include "daemon/stream/sse_scanner.h"
#include "daemon/stream/stream_tap.h"
#include "daemon/stream/translator.h"
#include "daemon/upstream/transport.h"

namespace nemo::gateway {

enum class AfterClient : std::uint8_t { cancel, drain };

// Whether events without content are held back until content comes, because another deployment could still answer.
enum class Hold : std::uint8_t { until_content, none };

// Whether an event that states usage gets its cost too (usage.nemo_cost).
enum class CostInUsage : std::uint8_t { show, omit };

struct RelayPlan {
  Hold hold = Hold::until_content;
  CostInUsage cost = CostInUsage::omit;
  stream::UsageFrames usage_frames = stream::UsageFrames::hide;
  AfterClient after_client = AfterClient::cancel;
  int stop_fd = -1;                                // watched in the client's place while draining; -1: nothing is
  std::unique_ptr<stream::ChunkReader> reader;     // of upstream's dialect
  std::unique_ptr<stream::Translator> translator;  // into the client's
  std::shared_ptr<Completing> completing = {};     // null: nobody else has to do with it
  std::string early = {};                          // of the body, taken from the exchange already
};

// One worker thread. Two phases: open() until the first content shows that upstream is really answering (a failure
// before that can still go to another deployment), then next() until the end.
class Relay final : public AnswerStream {
 public:
  Relay(std::unique_ptr<upstream::Exchange> exchange, RelayPlan plan, std::shared_ptr<Settlement> settlement);

  enum class Opening : std::uint8_t { committed, failed, client_gone };
  Opening open(int client_fd);
  const std::optional<Error>& failure() const { return m_failure; }  // after failed

  std::optional<SteadyTime> first_content_at() const { return m_tap.first_content_at(); }

  Step next(std::string& out, int client_fd) override;
  void client_left() override;

 private:
  void digest();
  void read(std::string_view bytes);
  enum class Whole : std::uint8_t { yes, cut_off };  // cut_off: the stream ended before the event did
  void pass(const stream::SseEvent& event, Whole whole = Whole::yes);
  void append(const stream::SseEvent& event, bool with_usage);
  void end_of_upstream();
  void stop_at_ceiling();
  bool is_satisfied() const;
  void end_early();
  void meet_unreadable();
  void break_off(const Error& error);
  void end_called_off(const Error& error);
  bool goes_on_alone();
  void account();
  bool has_whole_answer() const;
  std::optional<SteadyTime> deadline() const;
  Step hand_over(std::string& out, Step step);

  std::unique_ptr<upstream::Exchange> m_exchange;
  std::shared_ptr<Settlement> m_settlement;
  stream::SseScanner m_scanner;
  stream::StreamTap m_tap;
  std::unique_ptr<stream::Translator> m_translator;
  std::shared_ptr<Completing> m_completing;
  AfterClient m_after_client;
  int m_stop_fd;
  CostInUsage m_cost;
  stream::UsageFrames m_usage_frames;
  Hold m_hold;
  std::string m_input;
  std::string m_output;  // ready for the client
  bool m_committed = false;
  bool m_complained = false;  // upstream's own error is the last thing that was said
  bool m_is_deaf = false;     // what upstream says behind its end is not listened to
  bool m_ended = false;
  std::optional<SteadyTime> m_first_event_at;
  std::optional<SteadyTime> m_end_marker_at;
  std::optional<Error> m_failure;
};

}  // namespace nemo::gateway
