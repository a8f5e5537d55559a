// What one call may cost: sets an upper bound aside before each attempt, watches a running stream, settles once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "daemon/budget/book.h"
#include "daemon/budget/estimate.h"
#include "daemon/call/call_record.h"
#include "daemon/call/call_spec.h"
#include "daemon/call/principal.h"
#include "daemon/catalog/model.h"
#include "shared/result.h"

namespace nemo::gateway {

// English and code come to about four bytes a token in the tokenizers of today: what counts when upstream does not say.
inline constexpr std::int64_t k_bytes_per_token = 4;
inline constexpr std::int64_t k_other_bytes_per_token = 2;  // of text that is not ASCII

inline std::int64_t tokens_in(std::size_t bytes) {
  return (static_cast<std::int64_t>(bytes) + k_bytes_per_token - 1) / k_bytes_per_token;
}

// One worker thread. Book and density outlive it.
class Purse {
 public:
  struct Payer {
    budget::Book& book;
    budget::Density& density;
    std::shared_ptr<const call::Principal> principal;
    WallTime at;  // when the call began: it is paid in the windows of then
  };
  // `least_tokens`: an answer that can be paid for up to fewer tokens is not worth beginning, unless no more were
  // asked.
  Purse(Payer payer, const call::CallSpec& spec, std::int64_t least_tokens);

  // Before an attempt with that request body; another model's bound takes the place of the one before. The number of
  // output tokens that upstream must be held to, where the budget buys fewer than were asked for; nothing when it buys
  // them all. budget_exceeded: too few to begin.
  Result<std::optional<std::int64_t>> afford(const catalog::Model& model, std::string_view body);

  // Whether a second model may be asked at the same time: its bound is set aside beside that of the first.
  bool afford_also(const catalog::Model& second);
  // Which of the two is being paid for by what it answers; the other one has what it cost until it was cancelled.
  void pay_for(const catalog::Model& model);

  // While a stream runs: whether its content so far is paid for. Sets more aside where there is more.
  bool covers(std::size_t content_bytes);

  // The end, once. `record` has its usage and cost, and is told what had been set aside.
  void settle(call::CallRecord& record);

 private:
  std::int64_t most_output(const catalog::Model& model) const;
  NanoUsd bound(std::int64_t output_tokens) const { return m_beside + bound_alone(output_tokens); }
  NanoUsd bound_alone(std::int64_t output_tokens) const;
  std::int64_t tokens_bought(NanoUsd amount, std::int64_t most) const;
  Status set_aside(NanoUsd least, NanoUsd most);
  bool is_limited() const { return m_reservation.drawn_from() != 0; }
  void cover(std::int64_t output_tokens);

  Payer m_payer;
  call::Surface m_surface;
  std::optional<std::int64_t> m_asked_tokens;
  std::int64_t m_answers;
  std::int64_t m_least_tokens;
  std::optional<call::PromptSize> m_size;  // measured when a budget applies
  catalog::Model m_model;                  // of the last afford()
  std::int64_t m_input_bound = 0;
  NanoUsd m_beside;  // what a second model asked at the same time may cost
  std::int64_t m_covered_bytes = 0;
  bool m_reserved = false;
  budget::Reservation m_reservation;
};

}  // namespace nemo::gateway
