// Budget is set aside in the database before a call draws from it.
#include <doctest/doctest.h>

#include <thread>

#include "counting_house.h"

namespace nemo::test::leases_test {

using namespace nemo;
using namespace nemo::test;
using budget::Book;
using budget::Reservation;
using call::Window;
using Mode = MemoryLeaseStore::Mode;

namespace {

Limits key_limit(const char* dollars, Window window = Window::day) {
  return {{k_key, {{window, usd(dollars)}}}};
}

NanoUsd lease(const CountingHouse& house) {
  return house.store.lease_of(k_key);
}

}  // namespace

TEST_CASE("what a call draws is in the database before it is admitted") {
  CountingHouse house(key_limit("5"));
  house.store.set_mode(Mode::when_told);
  CHECK(house.book.reserve(k_three, usd("1"), usd("1")).error().kind == ErrorKind::storage);
  CHECK(house.standing(k_key).reserved == usd("0"));
  house.store.write_all();
  CHECK(lease(house) >= usd("1"));
  CHECK(house.book.reserve(k_three, usd("1"), usd("1")).ok());
}

TEST_CASE("a lease that the store rejects grants nothing, and who waits for it is told") {
  CountingHouse house(key_limit("5"));
  house.store.fail_next(1);
  const auto refused = house.book.reserve(k_three, usd("1"), usd("1"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == ErrorKind::storage);
  CHECK(refused.error().message.find("the disk is full") != std::string::npos);
  CHECK(house.standing(k_key).reserved == usd("0"));
  CHECK(lease(house) == usd("0"));
  CHECK(house.book.reserve(k_three, usd("1"), usd("1")).ok());
}

TEST_CASE("calls that follow each other draw from one lease") {
  CountingHouse house(key_limit("500"));
  for (int i = 0; i < 1'000; ++i) REQUIRE(house.spend(k_three, "0.001").ok());
  CHECK(house.store.asked() < 100);
}

TEST_CASE("a lease grows with the traffic: the busier, the fewer writes a call") {
  CountingHouse house(key_limit("5000"));
  const auto writes_for = [&house](int calls) {
    const int before = house.store.asked();
    for (int i = 0; i < calls; ++i) REQUIRE(house.spend(k_three, "0.001").ok());
    return house.store.asked() - before;
  };
  writes_for(1'000);
  CHECK(writes_for(1'000) <= 2);
}

TEST_CASE("more is asked for before the lease is used up, and no call waits for it") {
  CountingHouse house(key_limit("500"));
  REQUIRE(house.spend(k_three, "0.001").ok());
  house.store.set_mode(Mode::when_told);
  while (house.store.waiting() == 0) REQUIRE(house.spend(k_three, "0.001").ok());
  CHECK(house.spend(k_three, "0.001").ok());
}

TEST_CASE("what a crash strands beyond running calls is a small part of the budget") {
  CountingHouse house(key_limit("80"));
  for (int i = 0; i < 20; ++i) REQUIRE(house.spend(k_three, "0.5").ok());
  CHECK(lease(house) - usd("10") <= usd("10"));  // no row was written: the lease holds what was spent as well
  CountingHouse dear(key_limit("80"));
  REQUIRE(dear.spend(k_three, "30").ok());
  CHECK(lease(dear) <= usd("40"));
}

TEST_CASE("a lease never exceeds what the tightest window leaves") {
  CountingHouse house({{k_key, {{Window::day, usd("50")}, {Window::total, usd("3")}}}});
  for (int i = 0; i < 10; ++i) {
    REQUIRE(house.spend(k_three, "0.3").ok());
    CHECK(lease(house) <= usd("3"));
  }
  CHECK_FALSE(house.spend(k_three, "0.3").ok());
}

TEST_CASE("several scopes get their leases in one write") {
  CountingHouse house(
      {{k_key, {{Window::day, usd("5")}}}, {k_seat, {{Window::day, usd("5")}}}, {k_team, {{Window::day, usd("5")}}}});
  REQUIRE(house.spend(k_three, "1").ok());
  CHECK(house.store.asked() == 1);
  for (const call::Scope& scope : k_three) CHECK(house.store.lease_of(scope) >= usd("1"));
}

TEST_CASE("the last of a budget can be spent: free leases do not stand in the way") {
  CountingHouse house(key_limit("5"));
  REQUIRE(house.spend(k_three, "0.1").ok());
  auto rest = house.book.reserve(k_three, usd("4.9"), usd("4.9"));
  REQUIRE(rest.ok());
  CHECK(lease(house) == usd("5"));
}

TEST_CASE("what is free of yesterday's lease moves to today when room is short") {
  CountingHouse house({{k_key, {{Window::week, usd("5")}}}});
  { const auto call = house.book.reserve(k_three, usd("5"), usd("5")); }
  house.clock.advance(std::chrono::hours(13));  // Thursday
  const auto today = house.book.reserve(k_three, usd("5"), usd("5"));
  REQUIRE(today.ok());
  const auto leases = house.store.leases();
  CHECK(leases.at({k_key, today->day()}) == usd("5"));
  CHECK(leases.at({k_key, today->day() - 1}) == usd("0"));
}

TEST_CASE("a lease that nobody used for two seconds is given back, one in use is not") {
  CountingHouse house(key_limit("80"));
  { const auto call = house.book.reserve(k_three, usd("1"), usd("1")); }
  house.book.return_leases(Book::Return::idle);
  CHECK(lease(house) >= usd("1"));
  house.clock.advance(std::chrono::seconds(2));
  auto running = house.book.reserve(k_three, usd("1"), usd("1"));
  house.clock.advance(std::chrono::seconds(2));
  const NanoUsd in_use = lease(house);
  CHECK(in_use > usd("1"));
  house.book.return_leases(Book::Return::idle);
  CHECK(lease(house) == in_use);
  running->release();
  house.book.return_leases(Book::Return::idle);
  CHECK(lease(house) == usd("0"));
  CHECK(house.book.remaining(k_three) == usd("80"));
}

TEST_CASE("what was settled stays in the lease until its row takes it out") {
  CountingHouse house(key_limit("5"));
  auto call = house.book.reserve(k_three, usd("1"), usd("1"));
  const auto row = CountingHouse::row_of(*call, usd("0.4"), house.clock.wall());
  call->settle(usd("0.4"));
  house.book.return_leases(Book::Return::all);
  CHECK(lease(house) == usd("0.4"));
  house.store.row_written(row);
  CHECK(lease(house) == usd("0"));
}

TEST_CASE("when the daemon stops, a lease that is just being written is given back as well") {
  MemoryLeaseStore store;
  FakeClock clock;
  Book book(store, clock);
  book.configure(calendar_of("UTC"), key_limit("500"));
  for (int i = 0; i < 10; ++i) book.reserve(k_three, usd("0.001"), usd("0.001"))->settle(usd("0"));
  store.set_mode(Mode::when_told);
  std::vector<Reservation> running;
  while (store.waiting() == 0) running.push_back(book.reserve(k_three, usd("0.001"), usd("0.001")).value());
  running.clear();
  std::thread writer([&store] { store.write_next(); });
  book.return_leases(Book::Return::all);
  writer.join();
  store.write_all();
  CHECK(store.lease_of(k_key) == usd("0"));
}

TEST_CASE("a giving back that fails is tried again") {
  CountingHouse house(key_limit("5"));
  { const auto call = house.book.reserve(k_three, usd("1"), usd("1")); }
  house.store.fail_next(1);
  house.book.return_leases(Book::Return::all);
  CHECK(lease(house) >= usd("1"));
  house.book.return_leases(Book::Return::all);
  CHECK(lease(house) == usd("0"));
}

TEST_CASE("yesterday's lease is given back once no call of yesterday runs") {
  CountingHouse house(key_limit("5"));
  auto call = house.book.reserve(k_three, usd("1"), usd("1"));
  const lib::Day yesterday = call->day();
  house.clock.advance(std::chrono::hours(12));
  house.book.return_leases(Book::Return::idle);
  CHECK(house.store.leases().at({k_key, yesterday}) >= usd("1"));
  call->release();
  house.book.return_leases(Book::Return::idle);
  CHECK(house.store.leases().at({k_key, yesterday}) == usd("0"));
}

TEST_CASE("a lower limit gives back what the lease holds beyond it, a removed one all") {
  CountingHouse house(key_limit("80"));
  REQUIRE(house.spend(k_three, "1").ok());
  { const auto call = house.book.reserve(k_three, usd("40"), usd("40")); }
  house.book.configure(calendar_of("UTC"), key_limit("3"));
  CHECK(lease(house) == usd("3"));  // 1 was spent and is not yet a row
  house.book.configure(calendar_of("UTC"), {});
  CHECK(lease(house) == usd("1"));
}

TEST_CASE("a call that began without a limit draws from no lease, also if a limit comes meanwhile") {
  CountingHouse house;
  auto call = house.book.reserve(k_three, usd("1"), usd("1"));
  house.book.configure(calendar_of("UTC"), key_limit("5"));
  CHECK(call->resize(usd("2"), usd("2")).ok());
  CHECK(call->amount() == usd("0"));
  CHECK(call->drawn_from() == 0);
  call->settle(usd("2"));
  CHECK(house.book.remaining(k_three) == usd("3"));
  CHECK(lease(house) == usd("0"));
}

TEST_CASE("a call that began with a limit keeps its lease when the limit goes") {
  CountingHouse house(key_limit("5"));
  auto call = house.book.reserve(k_three, usd("1"), usd("1"));
  house.book.configure(calendar_of("UTC"), {});
  CHECK(lease(house) == usd("1"));
  REQUIRE(call->resize(usd("9"), usd("9")).ok());
  CHECK(lease(house) >= usd("9"));
  call->settle(usd("9"));
  house.book.return_leases(Book::Return::idle);
  CHECK(lease(house) == usd("9"));
}

TEST_CASE("growing a reservation sets aside the difference, shrinking gives it back at once") {
  CountingHouse house(key_limit("5"));
  auto call = house.book.reserve(k_three, usd("1"), usd("1"));
  REQUIRE(call->resize(usd("2"), usd("3")).ok());
  CHECK(call->amount() == usd("3"));
  CHECK(house.book.remaining(k_three) == usd("2"));
  CHECK(lease(house) >= usd("3"));
  REQUIRE(call->resize(usd("6"), usd("6")).error().kind == ErrorKind::budget_exceeded);
  CHECK(call->amount() == usd("3"));
  REQUIRE(call->resize(usd("0"), usd("0.5")).ok());
  CHECK(house.book.remaining(k_three) == usd("4.5"));
  REQUIRE(call->resize(usd("1"), usd("90")).ok());
  CHECK(call->amount() == usd("5"));
}

TEST_CASE("a running call keeps what it holds when others have overrun the budget") {
  CountingHouse house(key_limit("5"));
  auto first = house.book.reserve(k_three, usd("1"), usd("1"));
  auto second = house.book.reserve(k_three, usd("1"), usd("1"));
  first->settle(usd("7"));
  REQUIRE(second->resize(usd("0.5"), usd("2")).ok());
  CHECK(second->amount() == usd("1"));
  CHECK_FALSE(second->resize(usd("1.1"), usd("2")).ok());
}

TEST_CASE("what a lease held at a crash counts as spent in the windows of its day, until it is released") {
  MemoryLeaseStore store;
  FakeClock clock;
  clock.set_wall(utc(2026, 11, 18, 12));
  const Limits limits{{k_key, {{Window::day, usd("5")}, {Window::week, usd("50")}}}};
  store.change_leases(
      {{k_key, static_cast<lib::Day>(clock.wall().time_since_epoch() / std::chrono::days(1)), usd("2")}},
      [](const Status&) {});
  store.crash_and_reopen(clock.wall());
  Book book(store, clock);
  book.restore(store.load_spend().value(), store.load_unsettled().value());
  book.configure(calendar_of("UTC"), limits);
  CHECK(book.remaining(k_three) == usd("3"));
  CHECK(book.standings().front().unsettled == usd("2"));
  CHECK(book.standings().front().remaining() == usd("3"));
  clock.advance(std::chrono::hours(24));
  CHECK(book.standings().front().unsettled == usd("0"));
  CHECK(book.remaining(k_three) == usd("5"));
  CHECK(book.standings().back().unsettled == usd("2"));
  book.forget_unsettled(store.load_unsettled()->front().id);
  CHECK(book.standings().back().unsettled == usd("0"));
}

TEST_CASE("a write that ends after the book is gone does no harm") {
  MemoryLeaseStore store;
  FakeClock clock;
  {
    Book book(store, clock, std::chrono::milliseconds(0));
    book.configure(calendar_of("UTC"), key_limit("5"));
    store.set_mode(Mode::when_told);
    CHECK_FALSE(book.reserve(k_three, usd("1"), usd("1")).ok());
  }
  store.write_all();
  CHECK(store.lease_of(k_key) >= usd("1"));
}

}  // namespace nemo::test::leases_test
