#include "shared/ids.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace nemo::test::ids_test {

using namespace nemo;
using namespace std::chrono_literals;

namespace {

constexpr WallTime k_now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}};

}  // namespace

TEST_CASE("a request id is req_ and 26 characters that cannot be misread") {
  const std::string id = make_request_id(k_now);
  CHECK(id.size() == 30);
  CHECK(id.substr(0, 4) == "req_");
  CHECK(id.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 4) == std::string::npos);
}

TEST_CASE("the time part of a request id is its milliseconds in Crockford base32") {
  CHECK(make_request_id(WallTime(0us)).substr(4, 10) == "0000000000");
  CHECK(make_request_id(WallTime(1ms)).substr(4, 10) == "0000000001");
  CHECK(make_request_id(WallTime(1ms + 999us)).substr(4, 10) == "0000000001");
  CHECK(make_request_id(WallTime(33ms)).substr(4, 10) == "0000000011");
  // The example of the ULID specification.
  CHECK(make_request_id(WallTime(1469918176385ms)).substr(4, 10) == "01ARYZ6S41");
}

TEST_CASE("request ids sort by their time") {
  std::vector<std::string> ids;
  for (int i = 0; i < 200; ++i) ids.push_back(make_request_id(k_now + i * 37ms));
  CHECK(std::is_sorted(ids.begin(), ids.end()));
}

TEST_CASE("request ids of one moment differ, on one thread and on many") {
  constexpr int k_threads = 4;
  constexpr int k_each = 2000;
  std::vector<std::vector<std::string>> made(k_threads);
  std::vector<std::thread> threads;
  for (auto& ids : made) {
    threads.emplace_back([&ids] {
      for (int i = 0; i < k_each; ++i) ids.push_back(make_request_id(k_now));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> distinct;
  for (const auto& ids : made) distinct.insert(ids.begin(), ids.end());
  CHECK(distinct.size() == k_threads * k_each);
}

TEST_CASE("every random character of a request id takes every value") {
  std::vector<std::set<char>> seen(16);
  for (int i = 0; i < 3000; ++i) {
    const std::string id = make_request_id(k_now);
    for (std::size_t at = 0; at < 16; ++at) seen[at].insert(id[14 + at]);
  }
  CHECK(std::all_of(seen.begin(), seen.end(), [](const std::set<char>& chars) { return chars.size() == 32; }));
}

TEST_CASE("random bytes are as many as asked for, and not the same twice") {
  CHECK(random_bytes(0).empty());
  CHECK(random_bytes(1000).size() == 1000);
  CHECK(random_bytes(16) != random_bytes(16));
  std::set<char> values;
  for (const char byte : random_bytes(20'000)) values.insert(byte);
  CHECK(values.size() == 256);
}

TEST_CASE("base32 is that of RFC 4648 in lower case, without padding") {
  CHECK(to_base32("").empty());
  CHECK(to_base32("f") == "my");
  CHECK(to_base32("fo") == "mzxq");
  CHECK(to_base32("foo") == "mzxw6");
  CHECK(to_base32("foob") == "mzxw6yq");
  CHECK(to_base32("fooba") == "mzxw6ytb");
  CHECK(to_base32("foobar") == "mzxw6ytboi");
  CHECK(to_base32(std::string(20, '\xff')) == std::string(32, '7'));
}

TEST_CASE("hex has two lower-case digits a byte, also above 127") {
  CHECK(to_hex("").empty());
  CHECK(to_hex(std::string("\0\x0f\x10\x7f\x80\xff", 6)) == "000f107f80ff");
}

}  // namespace nemo::test::ids_test
