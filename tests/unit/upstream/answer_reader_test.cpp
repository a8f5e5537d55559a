// An answer of HTTP/1.1, read in whatever pieces it comes.
#include "daemon/upstream/local/answer_reader.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace nemo::test::answer_reader_test {

using nemo::upstream::local::AnswerReader;
using nemo::upstream::local::Flaw;

namespace {

struct Told {
  Flaw flaw = Flaw::none;
  int status = 0;
  std::string body;
  bool is_whole = false;
  bool keeps = false;
  std::size_t headers = 0;
};

enum class Then { open, closed };

Told read(std::string_view answer, std::size_t piece, Then then = Then::open) {
  AnswerReader reader;
  Told told;
  while (!answer.empty() && told.flaw == Flaw::none) {
    told.flaw = reader.read(answer.substr(0, piece), told.body);
    answer.remove_prefix(std::min(piece, answer.size()));
  }
  if (told.flaw == Flaw::none && then == Then::closed) told.flaw = reader.close();
  told.is_whole = reader.is_whole();
  told.keeps = reader.is_whole() && reader.keeps_connection();
  if (reader.has_head()) {
    told.status = reader.head().status;
    told.headers = reader.head().headers.size();
  }
  return told;
}

struct Case {
  const char* what;
  std::string answer;
  Then then;
  int status;
  std::string body;
  bool keeps;
};

const std::string k_packed(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\x48\xcd\xc9\xc9\x57\xb2\x52\x2a\xc9\x48\x2d\x4a\x55\xaa\x05"
    "\x00\xfd\x6a\x20\x97\x11\x00\x00\x00",
    37);

std::vector<Case> good_answers() {
  const std::string hex = "25";  // 37
  return {
      {"sized", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Then::open, 200, "hello", true},
      {"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Then::open, 200, "", true},
      {"no content", "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", Then::open, 204, "", true},
      {"closing", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", Then::open, 200, "ok", false},
      {"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", Then::open, 200, "ok", false},
      {"1.0 that stays", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok", Then::open, 200,
       "ok", true},
      {"until close", "HTTP/1.1 200 OK\r\n\r\nall of it\r\n\r\n", Then::closed, 200, "all of it\r\n\r\n", false},
      {"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", Then::open, 200, "ok", true},
      {"interim",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\n"
       "Content-Length: 2\r\n\r\nok",
       Then::open, 201, "ok", true},
      {"chunked",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0A;name=\"v\"\r\n0123456789\r\n0\r\n\r\n",
       Then::open, 200, "ok0123456789", true},
      {"chunked with trailers",
       "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\na\r\n000\r\nX: y\r\nZ: w\r\n\r\n", Then::open, 200,
       "a", true},
      {"chunks before a length",
       "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", Then::open,
       200, "a", true},
      {"packed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 37\r\n\r\n" + k_packed, Then::open, 200,
       R"({"hello":"there"})", true},
      {"packed in chunks",
       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + hex + "\r\n" + k_packed +
           "\r\n0\r\n\r\n",
       Then::open, 200, R"({"hello":"there"})", true},
      {"packed until close", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + k_packed, Then::closed, 200,
       R"({"hello":"there"})", false},
  };
}

}  // namespace

TEST_CASE("an answer reads the same in whatever pieces it comes") {
  for (const Case& one : good_answers()) {
    if (one.status == 0) continue;
    for (std::size_t piece = 1; piece <= one.answer.size(); ++piece) {
      CAPTURE(one.what);
      CAPTURE(piece);
      const Told told = read(one.answer, piece, one.then);
      REQUIRE(told.flaw == Flaw::none);
      CHECK(told.status == one.status);
      CHECK(told.body == one.body);
      CHECK(told.is_whole);
      CHECK(told.keeps == one.keeps);
    }
  }
}

TEST_CASE("an answer that lacks its end is not whole, wherever it is cut") {
  for (const Case& one : good_answers()) {
    if (one.status == 0 || one.then == Then::closed) continue;
    for (std::size_t size = 1; size < one.answer.size(); ++size) {
      CAPTURE(one.what);
      CAPTURE(size);
      const Told open = read(std::string_view(one.answer).substr(0, size), size);
      CHECK_FALSE(open.is_whole);
      const Told closed = read(std::string_view(one.answer).substr(0, size), size, Then::closed);
      CHECK(closed.flaw != Flaw::none);
    }
  }
}

TEST_CASE("what comes behind an answer makes its connection useless") {
  const Told told = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", 512);
  CHECK(told.body == "ok");
  CHECK(told.is_whole);
  CHECK_FALSE(told.keeps);
}

TEST_CASE("names are lower case, values without the blanks around them") {
  AnswerReader reader;
  std::string body;
  CHECK(reader.read("HTTP/1.1 200 OK\r\nX-Own:  a: b \r\nno header\r\nContent-Length: 0\r\n\r\n", body) == Flaw::none);
  REQUIRE(reader.head().find("x-own") != nullptr);
  CHECK(*reader.head().find("x-own") == "a: b");
  CHECK(reader.head().headers.size() == 2);
}

TEST_CASE("what is no answer, or none that can be read, is told apart") {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::pair<std::string, Flaw>> bad = {
      {"220 mail.example ESMTP\r\n", Flaw::no_http},
      {"HTTP/2 200\r\n\r\n", Flaw::no_http},
      {"HTTP/1.1\r\n\r\n", Flaw::no_http},
      {"HTTP/1.1 2x0 OK\r\n\r\n", Flaw::no_http},
      {"HTTP/1.1 -20 OK\r\n\r\n", Flaw::no_http},
      {head + "Content-Length: 5x\r\n\r\n", Flaw::no_http},
      {head + "Content-Length: -5\r\n\r\n", Flaw::no_http},
      {head + "Content-Length: 99999999999999999999\r\n\r\n", Flaw::no_http},
      {head + "Content-Encoding: br\r\nContent-Length: 5\r\n\r\n", Flaw::unreadable_coding},
      {head + "Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\ngarbage", Flaw::unreadable_coding},
      {chunked + "x\r\n", Flaw::bad_chunk},
      {chunked + "-1\r\n", Flaw::bad_chunk},
      {chunked + "\r\n", Flaw::bad_chunk},
      {chunked + "2\r\nokay\r\n", Flaw::bad_chunk},
      {chunked + "fffffffffffffffff\r\n", Flaw::bad_chunk},
      {chunked + std::string(5000, '1'), Flaw::bad_chunk},
      {head + "X: " + std::string(std::size_t{300} << 10U, 'x'), Flaw::head_too_long},
  };
  for (const auto& one : bad) {
    CAPTURE(one.first.substr(0, 80));
    CHECK(read(one.first, one.first.size()).flaw == one.second);
    CHECK(read(one.first, 7).flaw == one.second);
  }
}

}  // namespace nemo::test::answer_reader_test
