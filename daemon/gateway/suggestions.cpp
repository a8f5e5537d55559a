#include "daemon/gateway/suggestions.h"

#include <utility>

namespace nemo::gateway {

class Suggestions::Watch final : public EndWatch {
 public:
  Watch(Suggestions& owner, std::string seat, completion::Around prompt)
      : m_owner(owner), m_seat(std::move(seat)), m_prompt(std::move(prompt)) {}

  void concludes(Settlement& settlement) override {
    m_call_id = settlement.record.id;
    m_owner.suggest(m_seat, m_prompt, settlement);
  }
  void ended(Received received) override { m_owner.ended(m_seat, m_call_id, received); }

 private:
  Suggestions& m_owner;
  std::string m_seat;
  completion::Around m_prompt;
  std::string m_call_id;
};

std::unique_ptr<EndWatch> Suggestions::watch(std::string seat, completion::Around prompt) {
  return std::make_unique<Watch>(*this, std::move(seat), std::move(prompt));
}

void Suggestions::observe(const std::string& seat, const completion::Around& prompt) {
  for (const completion::Verdict& verdict : m_acceptance.observe(seat, prompt, m_clock.steady())) mark(verdict);
}

// A verdict on a row that is not there would be lost.
void Suggestions::mark(const completion::Verdict& verdict) {
  const auto bytes = static_cast<std::int64_t>(verdict.accepted_bytes);
  const bool waits = m_unwritten.with([&](auto& unwritten) {
    const auto found = unwritten.find(verdict.call_id);
    if (found == unwritten.end()) return false;
    found->second = bytes;
    return true;
  });
  if (!waits) m_log.mark_accepted(verdict.call_id, bytes);
}

void Suggestions::suggest(const std::string& seat, const completion::Around& prompt, Settlement& settlement) {
  const std::string& id = settlement.record.id;
  m_unwritten.with([&](auto& unwritten) { unwritten.try_emplace(id); });
  settlement.record.suggested_bytes =
      static_cast<std::int64_t>(m_acceptance.suggested(seat, id, settlement.suggestion(), prompt, m_clock.steady()));
}

void Suggestions::ended(const std::string& seat, const std::string& call_id, EndWatch::Received received) {
  const auto verdict = m_unwritten.with([&](auto& unwritten) {
    const auto found = unwritten.find(call_id);
    if (found == unwritten.end()) return std::optional<std::int64_t>();
    const std::optional<std::int64_t> waiting = found->second;
    unwritten.erase(found);
    return waiting;
  });
  if (received == EndWatch::Received::no) {
    m_acceptance.withdraw(seat, call_id);
  } else if (verdict) {
    m_log.mark_accepted(call_id, *verdict);
  }
}

}  // namespace nemo::gateway
