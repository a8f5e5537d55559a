// Random interleavings of everything that can happen to a budget, against a plain model of the rules.
#include <doctest/doctest.h>

#include <memory>
#include <random>

#include "plain_model.h"

namespace nemo::test::interleavings_test {

using namespace nemo;
using namespace nemo::test;
using budget::Period;
using budget::Reservation;
using call::Window;

namespace {

// strict: no cost above what was set aside and no limit that changes, so that nothing may ever pass a limit.
enum class Kind { strict, anything };

class Interleaving {
 public:
  Interleaving(std::uint64_t seed, Kind kind, const std::string& zone)
      : m_random(seed), m_kind(kind), m_zone(zone), m_model(calendar_of(zone)) {
    m_clock.set_wall(utc(2028, 2, 27, 12));  // a leap day, the 1st, Sundays and Mondays are near
    start();
    change_limits();
  }

  void step() {
    m_store_worked = m_store.works();
    switch (pick(m_kind == Kind::strict ? 13 : 15)) {
      case 0:
      case 1:
      case 2:
        reserve();
        break;
      case 3:
        resize();
        break;
      case 4:
      case 5:
        settle();
        break;
      case 6:
        release();
        break;
      case 7:
      case 8:
        write_row();
        break;
      case 9:
        m_store.write_next();
        break;
      case 10:
        disturb_store();
        break;
      case 11:
        move_clock();
        break;
      case 12:
        chance(5) ? crash() : m_book->return_leases(budget::Book::Return::idle);
        break;
      case 13:
        change_limits();
        break;
      default:
        reconcile();
    }
    check();
  }

  void finish() {
    while (!m_model.running.empty()) settle();
    while (!m_model.unwritten.empty()) write_row();
    m_store.fail_next(0);
    m_store.write_all();
    m_store.set_mode(MemoryLeaseStore::Mode::at_once);
    m_book->return_leases(budget::Book::Return::all);
    check();
    for (const call::Scope& scope : k_three) CHECK(m_store.lease_of(scope) == NanoUsd{0});
  }

  int admitted() const { return m_admitted; }
  int refused() const { return m_refused; }
  int crashes() const { return m_crashes; }

 private:
  std::size_t pick(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(m_random); }
  bool chance(std::size_t one_in) { return pick(one_in) == 0; }
  NanoUsd amount(std::int64_t most) { return {static_cast<std::int64_t>(pick(static_cast<std::size_t>(most) + 1))}; }

  void start() {
    m_book = std::make_unique<budget::Book>(m_store, m_clock, std::chrono::milliseconds(0));
    m_book->restore(m_store.load_spend().value(), m_store.load_unsettled().value());
    m_book->configure(calendar_of(m_zone), m_model.limits);
  }

  void reserve() {
    const NanoUsd most = chance(10) ? NanoUsd{0} : amount(400);
    const NanoUsd least = chance(2) ? most : amount(most.value);
    // Its head was read some time ago, perhaps yesterday.
    const std::optional<WallTime> at =
        chance(3) ? std::optional(m_clock.wall() - std::chrono::minutes(pick(90))) : std::nullopt;
    const WallTime begun = at.value_or(m_clock.wall());
    PlainModel::Call call{++m_last_id, begun, m_model.calendar.day_of(begun), {}, {}};
    for (const call::Scope& scope : k_three) {
      if (m_model.has_budget(scope)) call.of.push_back(scope);
    }
    auto got = m_book->reserve(k_three, least, most, at);
    const auto room = m_model.tightest(call.of, {call.begun, m_clock.wall()});
    const auto target = room ? PlainModel::target({}, *room, least, most) : NanoUsd{0};
    if (!agreed(got.ok() ? Status(Done{}) : Status(got.error()), target.has_value())) return;
    call.amount = *target;
    CHECK(got->amount() == call.amount);
    CHECK(got->day() == (call.day));
    m_model.running.push_back(call);
    m_held.emplace(call.id, std::move(*got));
    check_admission(call);
  }

  void resize() {
    if (m_model.running.empty()) return;
    PlainModel::Call& call = m_model.running[pick(m_model.running.size())];
    const NanoUsd most = amount(600);
    const NanoUsd least = amount(most.value);
    const auto room = m_model.tightest(call.of, {call.begun, m_clock.wall()});
    std::optional<NanoUsd> target = NanoUsd{0};
    if (!call.of.empty()) target = room ? PlainModel::target(call.amount, *room, least, most) : most;
    Reservation& held = m_held.at(call.id);
    if (agreed(held.resize(least, most), target.has_value())) {
      const bool grows = *target > call.amount;
      call.amount = *target;
      if (grows) check_admission(call);
    }
    CHECK(held.amount() == call.amount);
  }

  // True: done. The model says whether the budget allows it; whether the database did what was needed is the store's.
  bool agreed(const Status& status, bool allowed) {
    if (!allowed) {
      ++m_refused;
      REQUIRE_FALSE(status.ok());
      CHECK(status.error().kind == ErrorKind::budget_exceeded);
      return false;
    }
    if (!status.ok()) {
      CHECK(status.error().kind == ErrorKind::storage);
      CHECK_FALSE(m_store_worked);
      return false;
    }
    ++m_admitted;
    return true;
  }

  // Just after a call was let in, what its windows may come to is within every limit.
  void check_admission(const PlainModel::Call& call) {
    for (const call::Scope& scope : call.of) {
      if (!m_model.has_budget(scope)) continue;
      for (const call::BudgetLimit& limit : m_model.limits.at(scope)) {
        if (call.amount.value > 0) CHECK(m_model.room(scope, limit, call.begun) >= NanoUsd{0});
      }
    }
  }

  PlainModel::Call take_running() {
    const std::size_t at = pick(m_model.running.size());
    PlainModel::Call call = m_model.running[at];
    m_model.running.erase(m_model.running.begin() + static_cast<std::ptrdiff_t>(at));
    return call;
  }

  void settle() {
    if (m_model.running.empty()) return;
    PlainModel::Call call = take_running();
    call.cost = amount(call.amount.value);
    if (m_kind == Kind::anything && chance(8)) call.cost += amount(200);
    CHECK(m_held.at(call.id).drawn_from() == bits_of(call));
    m_held.at(call.id).settle(call.cost);
    m_held.erase(call.id);
    m_model.settled.push_back(call);
    m_model.unwritten.push_back(call);
  }

  void release() {
    if (m_model.running.empty()) return;
    m_held.erase(take_running().id);
  }

  static std::uint8_t bits_of(const PlainModel::Call& call) {
    std::uint8_t bits = 0;
    for (const call::Scope& scope : call.of) bits |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(scope.kind));
    return bits;
  }

  void write_row() {
    if (m_model.unwritten.empty()) return;
    const PlainModel::Call call = m_model.unwritten.front();
    m_model.unwritten.erase(m_model.unwritten.begin());
    call::CallRecord row;
    row.at = call.begun;
    row.key = k_key.name;
    row.seat = k_seat.name;
    row.team = k_team.name;
    row.cost = call.cost;
    row.reserved = call.amount;
    row.lease_day = call.day;
    row.drawn_from = bits_of(call);
    m_store.row_written(row);
  }

  void disturb_store() {
    if (chance(3)) m_store.fail_next(1);
    m_store.set_mode(chance(2) ? MemoryLeaseStore::Mode::at_once : MemoryLeaseStore::Mode::when_told);
    if (chance(2)) m_store.write_all();
  }

  void move_clock() {
    using namespace std::chrono;
    static constexpr std::array<minutes, 7> k_moves{minutes(1),    minutes(17), hours(3),  hours(24),
                                                    hours(24 * 8), hours(-2),   hours(-25)};
    const minutes by = k_moves[pick(k_moves.size())];
    if (by.count() > 0) {
      m_clock.advance(by);
    } else {
      m_clock.set_wall(m_clock.wall() + by);
    }
  }

  void change_limits() {
    m_model.limits.clear();
    for (const call::Scope& scope : k_three) {
      std::vector<call::BudgetLimit> limits;
      for (const Window window : {Window::day, Window::week, Window::month, Window::total}) {
        if (chance(3)) limits.push_back({window, amount(3'000)});
      }
      if (!limits.empty()) m_model.limits.emplace(scope, std::move(limits));
    }
    m_book->configure(calendar_of(m_zone), m_model.limits);
  }

  void reconcile() {
    if (m_model.unsettled.empty()) return;
    const std::int64_t id = m_model.unsettled[pick(m_model.unsettled.size())].id;
    REQUIRE(m_store.release_unsettled(id, "a test", "chance", m_clock.wall()).ok());
    m_book->forget_unsettled(id);
    std::erase_if(m_model.unsettled, [id](const budget::Unsettled& one) { return one.id == id; });
  }

  // Rows that were not written are lost; calls that ran were billed something.
  void crash() {
    ++m_crashes;
    std::vector<PlainModel::Call> lost = std::exchange(m_model.unwritten, {});
    for (PlainModel::Call& call : m_model.running) {
      call.cost = amount(call.amount.value);
      lost.push_back(call);
    }
    m_model.running.clear();
    for (const PlainModel::Call& call : lost) {
      std::erase_if(m_model.settled, [&call](const PlainModel::Call& one) { return one.id == call.id; });
    }
    const std::size_t before = m_model.unsettled.size();
    m_store.set_mode(MemoryLeaseStore::Mode::when_told);
    m_held.clear();
    m_book.reset();
    m_store.fail_next(0);
    m_store.crash_and_reopen(m_clock.wall());
    m_store.set_mode(MemoryLeaseStore::Mode::at_once);
    m_model.unsettled = m_store.load_unsettled().value();
    check_nothing_freed(lost, before);
    start();
  }

  // What was lost counts as spent: of each day at least what upstream billed of that day.
  void check_nothing_freed(const std::vector<PlainModel::Call>& lost, std::size_t before) {
    for (const PlainModel::Call& one : lost) {
      for (const call::Scope& scope : one.of) {
        NanoUsd billed;
        for (const PlainModel::Call& call : lost) {
          if (call.day == one.day && PlainModel::draws(call, scope)) billed += std::min(call.cost, call.amount);
        }
        NanoUsd kept;
        for (std::size_t i = before; i < m_model.unsettled.size(); ++i) {
          const budget::Unsettled& row = m_model.unsettled[i];
          if (row.scope == scope && row.day == one.day) kept += row.amount;
        }
        CHECK(kept >= billed);
      }
    }
  }

  void check() {
    check_standings();
    check_leases();
    if (m_kind == Kind::strict) check_database_within_limits();
  }

  void check_standings() {
    std::size_t count = 0;
    for (const auto& [scope, limits] : m_model.limits) count += limits.size();
    const auto standings = m_book->standings();
    REQUIRE(standings.size() == count);
    for (const budget::Standing& one : standings) {
      const Period period = m_model.calendar.period_of(one.window, m_clock.wall());
      CHECK(one.spent == m_model.spent(period));
      CHECK(one.reserved == m_model.reserved(one.scope));
      CHECK(one.unsettled == m_model.unsettled_in(one.scope, one.window, m_clock.wall()));
    }
  }

  // (reserved now) + (settled and not yet a row) <= lease in the database.
  void check_leases() {
    const auto leases = m_store.leases();
    for (const auto& [key, held] : leases) CHECK(held >= m_model.at_risk(key.first, key.second));
    for (const auto* calls : {&m_model.running, &m_model.unwritten}) {
      for (const PlainModel::Call& call : *calls) {
        for (const call::Scope& scope : call.of) {
          if (m_model.at_risk(scope, call.day).value > 0) CHECK(leases.count({scope, call.day}) == 1);
        }
      }
    }
  }

  // (spend in the database) + (leases in the database) + (unsettled) <= limit, in the window of every day that has any.
  void check_database_within_limits() {
    const auto leases = m_store.leases();
    const auto spend = m_store.spend();
    for (const auto& [scope, limits] : m_model.limits) {
      for (const call::BudgetLimit& limit : limits) {
        for (const auto& [slot, ignored] : spend)
          check_window(scope, limit, budget::start_of(slot.second), spend, leases);
        check_window(scope, limit, m_clock.wall(), spend, leases);
      }
    }
  }

  void check_window(const call::Scope& scope, const call::BudgetLimit& limit, WallTime at,
                    const std::map<MemoryLeaseStore::SpendKey, NanoUsd>& spend,
                    const std::map<MemoryLeaseStore::LeaseKey, NanoUsd>& leases) {
    const Period period = m_model.calendar.period_of(limit.window, at);
    const budget::Days days = budget::Calendar::days_of(limit.window, m_model.calendar.day_of(at));
    NanoUsd sum = m_model.unsettled_in(scope, limit.window, at);
    for (const auto& [key, cost] : spend) {
      if (key.first == scope && period.contains(budget::start_of(key.second))) sum += cost;
    }
    for (const auto& [key, held] : leases) {
      if (key.first == scope && days.contains(key.second)) sum += held;
    }
    CHECK(sum <= limit.amount);
  }

  std::mt19937_64 m_random;
  const Kind m_kind;
  const std::string m_zone;
  FakeClock m_clock;
  MemoryLeaseStore m_store;
  PlainModel m_model;
  std::unique_ptr<budget::Book> m_book;
  std::map<std::int64_t, Reservation> m_held;
  std::int64_t m_last_id = 0;
  bool m_store_worked = true;  // before this step
  int m_admitted = 0;
  int m_refused = 0;
  int m_crashes = 0;
};

struct Tally {
  int admitted = 0;
  int refused = 0;
  int crashes = 0;
};

void run(Kind kind, std::uint64_t seeds, int steps) {
  static const std::array<std::string, 3> k_zones{"UTC", "Europe/Berlin", "America/New_York"};
  Tally tally;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    CAPTURE(seed);
    Interleaving interleaving(seed, kind, k_zones[seed % k_zones.size()]);
    for (int i = 0; i < steps; ++i) {
      CAPTURE(i);
      interleaving.step();
    }
    interleaving.finish();
    tally.admitted += interleaving.admitted();
    tally.refused += interleaving.refused();
    tally.crashes += interleaving.crashes();
  }
  CHECK(tally.admitted > 500);
  CHECK(tally.refused > 500);
  CHECK(tally.crashes > 50);
}

}  // namespace

TEST_CASE("whatever happens in whatever order, no limit is passed and a crash frees nothing that was used") {
  run(Kind::strict, 90, 150);
}

TEST_CASE("with overruns, changed limits and reconciled crashes the book still agrees with the plain model") {
  run(Kind::anything, 90, 150);
}

}  // namespace nemo::test::interleavings_test
