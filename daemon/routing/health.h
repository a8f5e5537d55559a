// Whether a deployment is worth a call: consecutive failures and the rate of failures open a cooldown that grows; one
// probe at its end decides. Pure: a state machine that is told the time.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "shared/clock.h"

namespace nemo::routing {

struct HealthRules {
  int allowed_fails = 3;                          // in a row; the next one begins a cooldown. 0: the first one does
  std::chrono::milliseconds cooldown{5'000};      // the first; each one after a failed probe is twice as long,
  std::chrono::milliseconds longest{5 * 60'000};  // up to this
  friend bool operator==(const HealthRules&, const HealthRules&) = default;
};

enum class Condition : std::uint8_t {
  healthy,
  half_open,     // a cooldown has ended: one call may try it
  cooling,       // failed too often; used only when nothing else is left
  rate_limited,  // upstream said when to come back; not used before
};

enum class Trouble : std::uint8_t { connect, timeout, server_error, rate_limited, broken_answer, unauthorized };

// One call, as far as health is concerned.
struct Trial {
  SteadyTime begun;  // what began before a cooldown says nothing about its end
  bool is_probe = false;
};

// One thread, or under its owner's lock.
class Health {
 public:
  explicit Health(HealthRules rules = {}) : m_rules(rules) {}

  void set_rules(HealthRules rules) { m_rules = rules; }
  Condition condition(SteadyTime now) const;
  Micros until_ready(SteadyTime now) const;  // of cooling and rate_limited; else 0

  // A call begins: it is the probe when a cooldown has ended and nobody else tries.
  Trial begin(SteadyTime now);
  // Nothing was learned: another may be the probe.
  void give_back(const Trial& trial);
  // The first token of an answer ends a cooldown; the next failure begins a longer one, unless a success comes first.
  void answers(const Trial& trial);
  void succeeded(const Trial& trial, SteadyTime now);
  // rate_limited with `retry_after` is not a failure: it only says when to come back. unauthorized begins a cooldown at
  // once.
  void failed(const Trial& trial, Trouble trouble, std::optional<std::chrono::seconds> retry_after, SteadyTime now);

 private:
  enum class Phase : std::uint8_t { closed, open, on_trial };
  struct Outcome {
    SteadyTime at;
    bool failed = false;
  };
  static constexpr std::size_t k_outcomes = 20;  // that the rate of failures is taken of

  void note(bool failed, SteadyTime now);
  bool mostly_fails(SteadyTime now) const;
  void open(std::chrono::milliseconds length, SteadyTime now);
  void reopen(SteadyTime now);

  HealthRules m_rules;
  Phase m_phase = Phase::closed;
  bool m_probe_is_out = false;
  int m_in_a_row = 0;
  SteadyTime m_opened_at = SteadyTime::min();
  SteadyTime m_cooling_until = SteadyTime::min();
  SteadyTime m_limited_until = SteadyTime::min();
  std::chrono::milliseconds m_length{0};  // of the last cooldown
  std::array<Outcome, k_outcomes> m_outcomes{};
  std::size_t m_noted = 0;  // since the last cooldown; the newest is at (m_noted - 1) % k_outcomes
};

}  // namespace nemo::routing
