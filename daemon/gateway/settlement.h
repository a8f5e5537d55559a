// The one place where a call ends: usage becomes cost, budgets and limits get their due, and the ledger its row,
// whatever ended the call.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/call_record.h"
#include "daemon/catalog/model.h"
#include "daemon/gateway/answer.h"
#include "daemon/gateway/purse.h"
#include "daemon/ledger/request_log.h"
#include "daemon/limits/limiter.h"
#include "daemon/routing/gauge.h"
#include "shared/result.h"

namespace nemo::gateway {

class Settlement;

// Told how a call that went well ends. On the call's thread.
class EndWatch {
 public:
  virtual ~EndWatch() = default;
  // Everything to be sent is known, and the last bytes are about to go out. May write into its record.
  virtual void concludes(Settlement& settlement) = 0;
  // After concludes(), once the log has the row.
  enum class Received : std::uint8_t { yes, no };  // no: the client had left, as it turned out
  virtual void ended(Received received) = 0;
};

// One worker thread. The destructor ends what nobody ended (as an error), so that no call is forgotten.
class Settlement {
 public:
  Settlement(ledger::RequestLog& log, const Clock& clock, SteadyTime received_at);
  ~Settlement();
  Settlement(const Settlement&) = delete;
  Settlement& operator=(const Settlement&) = delete;

  call::CallRecord record;

  // Whose work it is goes into the row, if it is known by then.
  void belongs_to(std::shared_ptr<const call::OriginSlot> origin) { m_origin = std::move(origin); }
  // What this call was let in with; given back, or settled, when it ends.
  void admit(limits::Admission admission) { m_admission = std::move(admission); }
  Purse& pay_from(Purse purse) { return m_purse.emplace(std::move(purse)); }

  // Tokens that upstream did not state are counted from bytes, never left at zero once a model was reached.
  void use_pricing(const std::optional<catalog::Pricing>& pricing) { m_pricing = pricing; }
  void sent_upstream(std::size_t prompt_bytes);  // once an attempt, before it
  enum class Stated : std::uint8_t { so_far, finally };
  void state_usage(const call::Usage& usage, Stated when = Stated::finally);
  void count_output(std::size_t content_bytes) { m_content_bytes = content_bytes; }
  // Whether the output so far is within the budget, after more was set aside where possible.
  bool is_covered() { return !m_purse || m_purse->covers(m_content_bytes); }
  // The deployment that answers: it counts as in flight until the call ends, and is told how that was.
  void hold(routing::InFlight in_flight) { m_in_flight = std::move(in_flight); }
  // An attempt that was cancelled because another answered first: what it cost, which the call pays too.
  NanoUsd lose(const std::optional<catalog::Pricing>& pricing, std::size_t prompt_bytes);
  // What a completion suggests, as it comes; kept only when somebody wants to know whether it is taken. Upstream's own
  // text, raw, counts only where nothing else was shown in its stead.
  void watch_suggestion(std::unique_ptr<EndWatch> watch) { m_watch = std::move(watch); }
  void suggest(std::string_view raw_text);
  void show(std::string_view text);  // decoded
  std::string suggestion() const;    // decoded
  // It is known to have gone, and upstream is read on without it: nothing more is shown.
  void client_left() {
    if (!m_has_told) m_watch.reset();
  }
  void failed(const Error& error);
  void refused(const Error& error);
  // Ended from this side, by a newer completion or because the last who read along has left: cancelled, with that code.
  void called_off(const Error& error);
  // The client had its whole answer before upstream's end, which was not waited for.
  void cut_short() { m_cut_short = true; }
  call::Usage usage() const { return final_usage(Delivery::complete); }  // as far as is known now, and so is the cost
  NanoUsd cost() const;

  // Time that passed at upstream's side, between sending the request and its newest bytes.
  void upstream_time(SteadyTime sent_at, SteadyTime last_bytes_at);
  Micros added_by_daemon(SteadyTime now) const;
  void waited(Micros time) { m_earlier_upstream_time += time; }  // between two attempts, for upstream's sake
  void first_content_sent(SteadyTime now);

  // All that upstream will say has been said, and the last bytes are about to be sent: money is settled, and the row
  // outlives a crash from here on. Whoever watches its end is told.
  void conclude();
  void finish(Delivery delivery);  // the second call does nothing

 private:
  call::Usage final_usage(Delivery delivery) const;
  void settle_money(Delivery delivery);
  void tell_conclusion();
  void stamp();
  void learn(Delivery delivery);

  ledger::RequestLog& m_log;
  const Clock& m_clock;
  SteadyTime m_received_at;
  std::shared_ptr<const call::OriginSlot> m_origin;
  std::optional<catalog::Pricing> m_pricing;
  std::optional<call::Usage> m_stated;
  bool m_stated_finally = false;
  std::size_t m_prompt_bytes = 0;
  std::size_t m_content_bytes = 0;
  bool m_reached_upstream = false;
  bool m_failed = false;
  bool m_called_off = false;
  bool m_cut_short = false;
  bool m_money_settled = false;
  bool m_finished = false;
  Micros m_upstream_time{0};          // of this attempt
  Micros m_earlier_upstream_time{0};  // of those before it
  std::optional<Micros> m_overhead_at_first_content;
  std::optional<Purse> m_purse;  // absent: it never came to money
  limits::Admission m_admission;
  routing::InFlight m_in_flight;
  NanoUsd m_lost;                     // of attempts that lost a race
  std::unique_ptr<EndWatch> m_watch;  // null: nobody wants to know
  bool m_has_told = false;
  std::string m_suggestion;  // raw
  std::string m_shown;
};

}  // namespace nemo::gateway
