// One small budget and many threads.
#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <thread>

#include "counting_house.h"

namespace nemo::test::threads_test {

using namespace nemo;
using namespace nemo::test;
using budget::Book;
using call::Window;

namespace {

struct Crowd {
  MemoryLeaseStore store;
  FakeClock clock;
  Book book{store, clock};
  std::atomic<std::int64_t> spent{0};
  std::atomic<int> admitted{0};
  std::atomic<int> other_errors{0};

  // Half of the calls are settled, a quarter grows first, and a quarter is given back.
  void call(std::mt19937& random) {
    const NanoUsd most{static_cast<std::int64_t>(1 + random() % 3'000)};
    auto held = book.reserve(k_three, {(most.value + 1) / 2}, most);
    if (!held) {
      if (held.error().kind != ErrorKind::budget_exceeded) ++other_errors;
      return;
    }
    ++admitted;
    if (random() % 4 == 0) return;
    if (random() % 3 == 0) static_cast<void>(held->resize({0}, {2 * most.value}));
    const NanoUsd cost{static_cast<std::int64_t>(random() % static_cast<unsigned>(held->amount().value + 1))};
    const auto row = CountingHouse::row_of(*held, cost, clock.wall());
    held->settle(cost);
    spent += cost.value;
    store.row_written(row);
  }

  void run(int calls_each) {
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 8; ++seed) {
      threads.emplace_back([this, seed, calls_each] {
        std::mt19937 random(seed);
        for (int i = 0; i < calls_each; ++i) {
          call(random);
          if (i % 50 == 0) book.return_leases(Book::Return::idle);
          if (i % 50 == 25) static_cast<void>(book.standings());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  void check_afterwards(NanoUsd limit) {
    CHECK(other_errors == 0);
    CHECK(admitted > 0);
    CHECK(spent <= limit.value);
    CHECK(spent > limit.value / 2);
    for (const budget::Standing& one : book.standings()) {
      CHECK(one.reserved == NanoUsd{0});
      CHECK(one.spent == NanoUsd{spent});
    }
    book.return_leases(Book::Return::all);
    store.write_all();
    for (const call::Scope& scope : k_three) CHECK(store.lease_of(scope) == NanoUsd{0});
  }
};

const NanoUsd k_limit{500'000};
const Limits k_limits{{k_key, {{Window::day, k_limit}, {Window::month, NanoUsd{900'000}}}},
                      {k_seat, {{Window::total, NanoUsd{600'000}}}},
                      {k_team, {{Window::week, NanoUsd{700'000}}}}};

}  // namespace

TEST_CASE("many threads together never pass a limit, and leave nothing set aside") {
  Crowd crowd;
  crowd.book.configure(calendar_of("UTC"), k_limits);
  crowd.run(500);
  crowd.check_afterwards(k_limit);
}

TEST_CASE("calls that wait for a lease go on when the store's thread has written it") {
  Crowd crowd;
  crowd.book.configure(calendar_of("UTC"), k_limits);
  crowd.store.set_mode(MemoryLeaseStore::Mode::when_told);
  std::atomic<bool> over{false};
  std::thread writer([&] {
    while (!over) {
      if (!crowd.store.write_next()) std::this_thread::yield();
    }
  });
  crowd.run(500);
  over = true;
  writer.join();
  crowd.store.write_all();
  crowd.check_afterwards(k_limit);
}

}  // namespace nemo::test::threads_test
