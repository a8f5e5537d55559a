#include "daemon/stream/sse_scanner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace nemo::test::sse_scanner_test {

using nemo::stream::SseEvent;
using nemo::stream::SseScanner;

namespace {

struct Seen {
  std::string raw;
  std::string event;
  std::string data;
  friend bool operator==(const Seen&, const Seen&) = default;
};

void drain(SseScanner& scanner, std::vector<Seen>& seen) {
  while (const auto event = scanner.next()) {
    seen.push_back({std::string(event->raw), std::string(event->event), std::string(event->data)});
  }
}

// Feeds the pieces that end at `cuts` and then the rest.
std::vector<Seen> scan(std::string_view text, const std::vector<std::size_t>& cuts = {}) {
  SseScanner scanner;
  std::vector<Seen> seen;
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    scanner.feed(text.substr(from, cut - from));
    drain(scanner, seen);
    from = cut;
  }
  scanner.feed(text.substr(from));
  drain(scanner, seen);
  while (const auto event = scanner.finish()) {
    seen.push_back({std::string(event->raw), std::string(event->event), std::string(event->data)});
  }
  return seen;
}

std::string join(const std::vector<Seen>& seen) {
  std::string all;
  for (const Seen& one : seen) all += one.raw;
  return all;
}

std::vector<std::string> data_of(const std::vector<Seen>& seen) {
  std::vector<std::string> data;
  for (const Seen& one : seen) data.push_back(one.data);
  return data;
}

const std::vector<std::string> k_streams{
    "data: {\"a\":1}\n\ndata: [DONE]\n\n",
    "data: one\r\n\r\ndata: two\r\n\r\n",
    "data: one\r\rdata: two\r\r",
    "data:no space\n\ndata:  two spaces\n\n",
    ": keepalive\n\ndata: x\n\n",
    "event: error\ndata: {\"error\":1}\n\n",
    "data: first\ndata: second\ndata:\n\n",
    "\xEF\xBB\xBF"
    "data: behind a mark\n\ndata: next\n\n",
    "data: no end",
    "data: one line end\n",
    "data: mixed\r\n\ndata: x\n\r\ndata: y\r\n\r",
    "\n\n\ndata: after blank lines\n\n\n",
    "id: 7\nretry: 10\ndata: with others\n\n",
    "data\n\ndatax: no\n\nda",
    "\r\n\r\n: only comments\r\n\r\n",
};

}  // namespace

TEST_CASE("an event is handed out as soon as its blank line has come") {
  SseScanner scanner;
  scanner.feed("data: {\"x\":1}\n");
  CHECK_FALSE(scanner.next());
  scanner.feed("\ndata: ne");
  const auto event = scanner.next();
  REQUIRE(event);
  CHECK(event->raw == "data: {\"x\":1}\n\n");
  CHECK(event->data == "{\"x\":1}");
  CHECK_FALSE(scanner.next());
}

TEST_CASE("LF, CRLF and CR all end lines") {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const auto seen = scan("event: ping" + end + "data: one" + end + end + "data: two" + end + end);
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].event == "ping");
    CHECK(seen[0].data == "one");
    CHECK(seen[1].event.empty());
    CHECK(seen[1].data == "two");
  }
}

TEST_CASE("one space behind the colon is not part of the value, a second one is") {
  CHECK(data_of(scan("data:a\n\ndata: b\n\ndata:  c\n\n")) == std::vector<std::string>{"a", "b", " c"});
}

TEST_CASE("several data lines are joined with line ends") {
  CHECK(data_of(scan("data: a\nid: 3\ndata: b\ndata:\n\n")) == std::vector<std::string>{"a\nb\n"});
}

TEST_CASE("comments and pings are events without data, and keep their bytes") {
  const auto seen = scan(": keepalive\n\n:\n\n\ndata: x\n\n");
  REQUIRE(seen.size() == 4);
  CHECK(seen[0] == Seen{": keepalive\n\n", "", ""});
  CHECK(seen[1] == Seen{":\n\n", "", ""});
  CHECK(seen[2] == Seen{"\n", "", ""});
  CHECK(seen[3].data == "x");
}

TEST_CASE("a byte order mark counts only at the very start") {
  const std::string mark = "\xEF\xBB\xBF";
  CHECK(data_of(scan(mark + "data: x\n\n" + mark + "data: y\n\n")) == std::vector<std::string>{"x", ""});
}

TEST_CASE("a field name must match whole") {
  CHECK(data_of(scan("datax: 1\nxdata: 2\n data: 3\n\n")) == std::vector<std::string>{""});
}

TEST_CASE("what is left without its final newline is the last event") {
  SseScanner scanner;
  scanner.feed("data: a\n\ndata: [DONE]");
  REQUIRE(scanner.next());
  CHECK_FALSE(scanner.next());
  const auto last = scanner.finish();
  REQUIRE(last);
  CHECK(last->data == "[DONE]");
  CHECK_FALSE(scanner.finish());
}

TEST_CASE("nothing fed gives nothing") {
  CHECK(scan("").empty());
}

TEST_CASE("a stream split at any byte gives the same events and keeps every byte") {
  for (const std::string& stream : k_streams) {
    CAPTURE(stream);
    const auto whole = scan(stream);
    CHECK(join(whole) == stream);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
      CAPTURE(cut);
      CHECK(scan(stream, {cut}) == whole);
    }
    std::vector<std::size_t> every(stream.size());
    for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
    CHECK(scan(stream, every) == whole);
  }
}

TEST_CASE("random bytes that look like a stream give the same events however they are split") {
  std::mt19937 random(20261122);
  const std::vector<std::string> pieces{"data:", " ", "x", "\n", "\n", "\r\n", "\r", ":", "event: e", "data: y\n\n"};
  for (int round = 0; round < 400; ++round) {
    std::string stream;
    while (stream.size() < 60) stream += pieces[random() % pieces.size()];
    const auto whole = scan(stream);
    CHECK(join(whole) == stream);
    std::vector<std::size_t> cuts;
    for (std::size_t at = 0; at < stream.size(); at += random() % 9) cuts.push_back(at++);
    cuts.erase(std::remove_if(cuts.begin(), cuts.end(), [&](std::size_t c) { return c > stream.size(); }), cuts.end());
    CAPTURE(stream);
    CHECK(scan(stream, cuts) == whole);
  }
}

TEST_CASE("an event too large for memory passes raw, in pieces without data, and the next one is read again") {
  const std::string large = "data: " + std::string(SseScanner::k_largest_event * 2 + 77, 'x') + "\n\n";
  const std::string stream = "data: a\n\n" + large + "data: b\n\n";
  const auto whole = scan(stream);
  CHECK(join(whole) == stream);
  REQUIRE(whole.size() == 5);
  CHECK(data_of(whole) == std::vector<std::string>{"a", "", "", "", "b"});
  std::vector<std::size_t> cuts;
  for (std::size_t at = 0; at < stream.size(); at += 100003) cuts.push_back(at);
  CHECK(scan(stream, cuts) == whole);
}

TEST_CASE("an event of exactly the largest size is still read") {
  const std::string around = "data: \n\n";
  const std::string data(SseScanner::k_largest_event - around.size(), 'y');
  const auto seen = scan("data: " + data + "\n\n");
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].data == data);
}

TEST_CASE("a large event that comes byte by byte is looked at once, not once per byte") {
  // With a second look per byte this would be 10^12 steps and never end.
  const std::string data(std::size_t{1} << 20U, 'z');
  const std::string stream = "data: " + data + "\n\n";
  SseScanner scanner;
  std::vector<Seen> seen;
  for (const char& byte : stream) {
    scanner.feed({&byte, 1});
    drain(scanner, seen);
  }
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].data == data);
}

TEST_CASE("a million short lines with one kind of line end cost one pass") {
  for (const char end : {'\n', '\r'}) {
    std::string stream;
    for (int i = 0; i < 1'000'000; ++i) stream.append("a").push_back(end);
    const auto seen = scan(stream);
    CHECK(seen.size() == 1);
    CHECK(join(seen) == stream);
  }
}

}  // namespace nemo::test::sse_scanner_test
