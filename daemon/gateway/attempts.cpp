#include "daemon/gateway/attempts.h"

#include <algorithm>
#include <utility>

#include "daemon/gateway/chance.h"
#include "daemon/routing/retry.h"

namespace nemo::gateway {

using std::chrono::milliseconds;

Attempts::Attempts(upstream::Transport& transport, std::shared_ptr<Settlement> settlement, const Asked& asked,
                   const Clock& clock)
    : m_transport(transport),
      m_settlement(std::move(settlement)),
      m_asked(asked),
      m_clock(clock),
      m_watch{asked.incoming.client_fd, asked.incoming.stop_fd},
      m_tried(asked.decision.choices.size()) {}

Result<Answered> Attempts::run() {
  const auto most = static_cast<std::size_t>(m_asked.world.settings.routing.num_retries) + 1;
  std::optional<Error> last;  // there is one after the first try: a decision has candidates
  while (m_begun < most) {
    const auto index = next();
    if (!index) break;
    const Waited waited = wait_for_round(m_tried[*index]);
    if (waited == Waited::client_left) return client_left();
    if (waited == Waited::not_worth_it) {
      m_tried[*index].barred = true;  // another one need not be waited for that long
      continue;
    }
    const auto& choice = m_asked.decision.choices[*index];
    const auto output_cap = m_asked.purse.afford(*choice.model, m_asked.body.bytes());
    if (!output_cap) return last ? std::move(*last) : output_cap.error();
    use(choice);
    ++m_tried[*index].times;
    Outcome outcome = go(*index, *output_cap);
    if (m_watch.client_left) {
      if (outcome.answered && outcome.answered->relay) outcome.answered->relay->client_left();
      return client_left();
    }
    if (outcome.answered) return std::move(*outcome.answered);
    last = std::move(outcome.error);
    if (!outcome.may_go_on) break;
    ++m_begun;
  }
  return *last;
}

// Each candidate once, in the order of the decision; then again those that may do better the next time.
std::optional<std::size_t> Attempts::next() {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < m_tried.size(); ++i) {
    if (m_tried[i].barred) continue;
    if (!found || m_tried[i].times < m_tried[*found].times) found = i;
  }
  return found;
}

// Another candidate that has not been tried.
std::optional<std::size_t> Attempts::spare(std::size_t beside) const {
  const auto most = static_cast<std::size_t>(m_asked.world.settings.routing.num_retries) + 1;
  if (m_begun + 1 >= most) return std::nullopt;
  for (std::size_t i = 0; i < m_tried.size(); ++i) {
    if (i != beside && m_tried[i].times == 0 && !m_tried[i].barred) return i;
  }
  return std::nullopt;
}

Attempts::Waited Attempts::wait_for_round(const Tried& tried) {
  if (tried.times == 0) return Waited::enough;
  const auto delay = routing::delay_before_round(tried.times, tried.retry_after, draw_chance());
  if (!delay) return Waited::not_worth_it;
  const SteadyTime from = m_clock.steady();
  const bool stays = m_transport.pause(m_watch.fd, *delay);
  m_settlement->waited(std::chrono::duration_cast<Micros>(m_clock.steady() - from));
  return stays ? Waited::enough : Waited::client_left;
}

void Attempts::use(const routing::Decision::Choice& choice) {
  call::CallRecord& record = m_settlement->record;
  record.model = choice.model->id;
  record.upstream = choice.deployment->upstream;
  record.deployment = choice.deployment->id;
  m_settlement->use_pricing(choice.model->pricing);
}

Outcome Attempts::take(Attempt& attempt, Hold hold) {
  Outcome outcome = attempt.read(m_transport, hold);
  note(attempt, outcome);
  return outcome;
}

void Attempts::note(const Attempt& attempt, const Outcome& outcome) {
  m_settlement->record.trace.attempts.push_back(attempt.tell(outcome));
  if (!outcome.error) return;
  Tried& tried = m_tried[static_cast<std::size_t>(&attempt.choice() - m_asked.decision.choices.data())];
  tried.barred = tried.barred || !outcome.may_return;
  if (outcome.error->retry_after_s) tried.retry_after = std::chrono::seconds(*outcome.error->retry_after_s);
}

Outcome Attempts::go(std::size_t index, std::optional<std::int64_t> output_cap) {
  const auto& choices = m_asked.decision.choices;
  const auto other = spare(index);
  const Hold hold = other ? Hold::until_content : Hold::none;
  const auto hedge = other ? hedge_after(index) : std::nullopt;
  Attempt first(m_asked, choices[index], m_watch, m_settlement, m_clock);
  if (auto failed = first.start(m_transport, output_cap, hedge ? Attempt::Alone::raced : Attempt::Alone::yes)) {
    note(first, *failed);
    return std::move(*failed);
  }
  call::Trace& trace = m_settlement->record.trace;
  if (trace.candidates.empty()) trace.candidates = routing::explain(m_asked.decision);
  if (!hedge) return take(first, hold);
  const upstream::Wake wake = first.wait_begin(m_clock.steady() + *hedge);
  if (wake != upstream::Wake::not_yet || !m_asked.purse.afford_also(*choices[*other].model)) return take(first, hold);
  ++m_tried[*other].times;
  ++m_begun;
  Attempt second(m_asked, choices[*other], m_watch, m_settlement, m_clock);
  if (auto failed = second.start(m_transport, output_cap, Attempt::Alone::raced)) {
    note(second, *failed);
    return take(first, hold);
  }
  return race(first, second);
}

// Whichever shows content first answers, and the other is cancelled. One that fails leaves the field to the other.
Outcome Attempts::race(Attempt& first, Attempt& second) {
  using Race = upstream::Transport::Race;
  auto& attempts = m_settlement->record.trace.attempts;
  Race ahead = Race::not_yet;
  do {
    ahead = m_transport.wait_first(first.exchange(), second.exchange(), m_watch.fd, std::nullopt);
    if (ahead == Race::client_gone) break;
  } while ((ahead == Race::second ? second : first).wait_begin(m_clock.steady()) == upstream::Wake::not_yet);
  const bool second_leads = ahead == Race::second;
  Attempt& leader = second_leads ? second : first;
  Attempt& follower = second_leads ? first : second;
  if (second_leads) {
    m_settlement->upstream_time(first.exchange().sent_at(), second.exchange().sent_at());
    m_settlement->sent_upstream(m_asked.spec.prompt_bytes);
    use(second.choice());
    m_asked.purse.pay_for(*second.choice().model);
  }
  Outcome outcome = leader.read(m_transport, Hold::until_content);
  if (outcome.answered || !outcome.may_go_on || m_watch.client_left) {
    const std::size_t place = attempts.size();
    attempts.push_back(leader.tell(outcome));
    attempts.insert(attempts.begin() + static_cast<std::ptrdiff_t>(second_leads ? place : place + 1), follower.lose());
    return outcome;
  }
  note(leader, outcome);
  use(follower.choice());
  m_asked.purse.pay_for(*follower.choice().model);
  return take(follower, Hold::none);
}

std::optional<milliseconds> Attempts::hedge_after(std::size_t index) const {
  const auto lane = m_asked.world.settings.lanes.find(m_asked.decision.lane);
  if (lane == m_asked.world.settings.lanes.end() || !lane->second.hedge) return std::nullopt;
  if (lane->second.hedge->after) return lane->second.hedge->after;
  const auto p95 = m_asked.decision.choices[index].deployment->gauge->p95(m_asked.decision.lane, m_clock.steady());
  if (!p95) return std::nullopt;
  return std::chrono::ceil<milliseconds>(*p95);
}

}  // namespace nemo::gateway
