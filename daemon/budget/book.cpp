#include "daemon/budget/book.h"

#include <algorithm>
#include <utility>

#include "daemon/budget/accounts.h"

namespace nemo::budget {

Reservation::Reservation() = default;
Reservation::Reservation(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Reservation::Reservation(Reservation&&) noexcept = default;
Reservation::~Reservation() {
  release();
}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this == &other) return *this;
  release();
  m_state = std::move(other.m_state);
  return *this;
}

NanoUsd Reservation::amount() const {
  return m_state ? m_state->amount : NanoUsd{};
}

lib::Day Reservation::day() const {
  return m_state ? m_state->day : lib::Day{};
}

std::uint8_t Reservation::drawn_from() const {
  return m_state ? m_state->drawn_from : std::uint8_t{};
}

Status Reservation::resize(NanoUsd least, NanoUsd most) {
  if (!m_state) return Done{};
  return m_state->book->resize(*m_state, least, most);
}

void Reservation::settle(NanoUsd cost) {
  if (const auto state = std::exchange(m_state, nullptr)) state->book->settle(*state, cost);
}

void Reservation::release() {
  if (const auto state = std::exchange(m_state, nullptr)) state->book->release(*state);
}

NanoUsd Standing::remaining() const {
  return std::max(limit - capped_sum(capped_sum(spent, unsettled), reserved), NanoUsd{});
}

Book::Book(LeaseStore& store, const Clock& clock, std::chrono::milliseconds longest_wait)
    : m_accounts(std::make_shared<Accounts>(store, clock, longest_wait)) {}
Book::~Book() = default;

void Book::restore(const std::vector<SpendRow>& spend, std::vector<Unsettled> unsettled) {
  m_accounts->restore(spend, std::move(unsettled));
}

void Book::configure(Calendar calendar, std::map<call::Scope, std::vector<call::BudgetLimit>> limits) {
  m_accounts->configure(std::move(calendar), std::move(limits));
}

void Book::forget_unsettled(std::int64_t id) {
  m_accounts->forget_unsettled(id);
}

Result<Reservation> Book::reserve(const call::Scopes& scopes, NanoUsd least, NanoUsd most, std::optional<WallTime> at) {
  auto state = std::make_unique<Reservation::State>();
  const Status status = m_accounts->begin(*state, scopes, least, most, at);
  if (!status) return status.error();
  return Reservation(std::move(state));
}

std::optional<NanoUsd> Book::remaining(const call::Scopes& scopes) const {
  return m_accounts->remaining(scopes);
}

std::vector<Standing> Book::standings() const {
  return m_accounts->standings();
}

std::vector<Crossing> Book::take_crossings() {
  return m_accounts->take_crossings();
}

void Book::return_leases(Return which) {
  m_accounts->return_leases(which);
}

}  // namespace nemo::budget
