#include "daemon/routing/gauge.h"

#include <algorithm>
#include <utility>

namespace nemo::routing {

InFlight::InFlight(std::shared_ptr<Gauge> gauge, std::string_view lane, Answering answering, Trial trial)
    : m_gauge(std::move(gauge)), m_lane(lane), m_answering(answering), m_trial(trial) {}

InFlight::InFlight(InFlight&& other) noexcept = default;

InFlight& InFlight::operator=(InFlight&& other) noexcept {
  if (this == &other) return *this;
  end();
  m_gauge = std::move(other.m_gauge);
  m_lane = std::move(other.m_lane);
  m_answering = other.m_answering;
  m_trial = other.m_trial;
  m_is_waiting = other.m_is_waiting;
  m_is_judged = other.m_is_judged;
  return *this;
}

InFlight::~InFlight() {
  end();
}

void InFlight::end() {
  const std::shared_ptr<Gauge> gauge = std::exchange(m_gauge, nullptr);
  if (!gauge) return;
  const std::lock_guard lock(gauge->m_mutex);
  --gauge->m_in_flight;
  gauge->stop_waiting(*this);
  if (!m_is_judged) gauge->m_health.give_back(m_trial);
}

void InFlight::first_token(Micros took, SteadyTime now) {
  if (!m_gauge) return;
  const std::lock_guard lock(m_gauge->m_mutex);
  if (!m_is_waiting) return;
  m_gauge->measure(*this, took, now);
  m_gauge->m_health.answers(m_trial);
}

void InFlight::succeeded(std::int64_t tokens, SteadyTime now) {
  if (!m_gauge || std::exchange(m_is_judged, true)) return;
  const std::lock_guard lock(m_gauge->m_mutex);
  m_gauge->stop_waiting(*this);
  m_gauge->m_minute.add({0, tokens}, now);
  m_gauge->m_health.succeeded(m_trial, now);
  m_gauge->m_last_trouble.clear();
}

void InFlight::failed(Trouble trouble, std::string_view code, std::optional<std::chrono::seconds> retry_after,
                      SteadyTime now) {
  if (!m_gauge || std::exchange(m_is_judged, true)) return;
  const std::lock_guard lock(m_gauge->m_mutex);
  // It would have taken at least so long.
  if (trouble == Trouble::timeout && m_is_waiting) {
    m_gauge->measure(*this, std::chrono::floor<Micros>(now - m_trial.begun), now);
  }
  m_gauge->stop_waiting(*this);
  m_gauge->m_health.failed(m_trial, trouble, retry_after, now);
  m_gauge->m_last_trouble = code;
}

Gauge::Gauge(HealthRules rules, SteadyTime since) : m_health(rules), m_last_begun(since) {}

void Gauge::set_rules(HealthRules rules) {
  const std::lock_guard lock(m_mutex);
  m_health.set_rules(rules);
}

Figures Gauge::figures(std::string_view lane, Answering answering, SteadyTime now) const {
  Figures figures;
  const std::lock_guard lock(m_mutex);
  const Minute::Load& load = m_minute.total(now);
  figures.in_flight = m_in_flight;
  figures.calls_this_minute = load.calls;
  figures.tokens_this_minute = load.tokens;
  if (const Series* series = find(lane, answering)) {
    figures.waiting = series->waiting;
    figures.ttft = series->latency.average();
    figures.since_measured = series->latency.age(now);
    figures.measured = series->latency.measured();
  }
  figures.condition = m_health.condition(now);
  figures.until_ready = m_health.until_ready(now);
  if (!m_last_trouble.empty()) figures.last_trouble = m_last_trouble;
  return figures;
}

std::optional<Micros> Gauge::p95(std::string_view lane, SteadyTime now) const {
  const std::lock_guard lock(m_mutex);
  const Series* series = find(lane, Answering::streamed);
  return series == nullptr ? std::nullopt : series->latency.p95(now);
}

InFlight Gauge::begin(std::string_view lane, Answering answering, SteadyTime now) {
  auto self = shared_from_this();
  const std::lock_guard lock(m_mutex);
  Series* series = find_or_add(lane, answering);
  InFlight call(std::move(self), lane, answering, m_health.begin(now));
  call.m_is_waiting = series != nullptr;
  if (series != nullptr) ++series->waiting;
  ++m_in_flight;
  m_minute.add({1, 0}, now);
  m_last_begun = std::max(m_last_begun, now);
  return call;
}

void Gauge::probed(bool answered, std::string_view code, SteadyTime now) {
  const std::lock_guard lock(m_mutex);
  const Condition condition = m_health.condition(now);
  const Trial trial = m_health.begin(now);
  if (answered) {
    // That a list of models can be had ends a wait, but does not make failed calls forgotten.
    if (trial.is_probe) m_health.answers(trial);
  } else {
    if (trial.is_probe || condition == Condition::healthy) {
      m_health.failed(trial, Trouble::connect, std::nullopt, now);
    }
    m_last_trouble = code;
  }
}

SteadyTime Gauge::last_begun() const {
  const std::lock_guard lock(m_mutex);
  return m_last_begun;
}

Micros Gauge::until_fewer_than(std::int64_t calls, SteadyTime now) const {
  const std::lock_guard lock(m_mutex);
  return m_minute.until_fewer_than(calls, now);
}

const Gauge::Series* Gauge::find(std::string_view lane, Answering answering) const {
  for (const Series& series : m_series) {
    if (series.answering == answering && series.lane == lane) return &series;
  }
  return nullptr;
}

Gauge::Series* Gauge::find(std::string_view lane, Answering answering) {
  return const_cast<Series*>(std::as_const(*this).find(lane, answering));
}

// Null: too many lanes wait for their first token.
Gauge::Series* Gauge::find_or_add(std::string_view lane, Answering answering) {
  if (Series* found = find(lane, answering)) return found;
  if (m_series.size() >= k_most_series) {
    const auto oldest = std::min_element(m_series.begin(), m_series.end(), [](const Series& a, const Series& b) {
      return std::pair(a.waiting > 0, a.latency.newest()) < std::pair(b.waiting > 0, b.latency.newest());
    });
    if (oldest->waiting > 0) return nullptr;
    m_series.erase(oldest);
  }
  Series& added = m_series.emplace_back();
  added.lane = lane;
  added.answering = answering;
  return &added;
}

void Gauge::measure(InFlight& call, Micros took, SteadyTime now) {
  if (Series* series = find(call.m_lane, call.m_answering)) series->latency.add(took, now);
  stop_waiting(call);
}

void Gauge::stop_waiting(InFlight& call) {
  if (!std::exchange(call.m_is_waiting, false)) return;
  // It is there: what is waited for is never dropped.
  if (Series* series = find(call.m_lane, call.m_answering)) --series->waiting;
}

}  // namespace nemo::routing
