#include "daemon/http/call_head.h"

#include <doctest/doctest.h>

#include <string>

namespace nemo::test::call_head_test {

using nemo::call::Surface;
using nemo::config::Settings;
using nemo::http::CallHead;
using nemo::http::read_call_head;

namespace {

const std::string k_line = "POST /v1/chat/completions HTTP/1.1\r\n";
const std::string k_headers = "Host: localhost:6366\r\nAuthorization: Bearer sk-nemo-1\r\nContent-Length: 12\r\n";

bool is_read(const std::string& head) {
  return read_call_head(head, Settings()).has_value();
}

}  // namespace

TEST_CASE("a call's head tells surface, key, client and the body's length") {
  const std::string head =
      "POST /v1/completions HTTP/1.1\r\nhOST: 127.0.0.1\r\nUser-Agent:  OpenAI/JS 4.0 \r\n"
      "authorization: bearer sk-nemo-1\r\nX-Stainless-Lang: js; 100%\r\ncontent-length: 12\r\n"
      "Connection: Keep-Alive\r\n\r\n";
  const auto call = read_call_head(head, Settings());
  REQUIRE(call);
  CHECK(call->surface == Surface::openai_completions);
  CHECK(call->key == "sk-nemo-1");
  CHECK(call->user_agent == "OpenAI/JS 4.0");
  CHECK(call->body_size == 12);
}

TEST_CASE("a head whose call would be refused is left alone") {
  CHECK(is_read(k_line + k_headers + "\r\n"));
  const std::string bearer = "Authorization: Bearer sk-nemo-1\r\n";
  const std::string host = "Host: localhost\r\n";
  for (const std::string& head : {
           "GET /v1/chat/completions HTTP/1.1\r\n" + k_headers,
           "POST /v1/models HTTP/1.1\r\n" + k_headers,
           "POST /nothing HTTP/1.1\r\n" + k_headers,
           k_line + "Host: evil.example\r\n" + bearer + "Content-Length: 1\r\n",
           k_line + host + bearer,
           k_line + host + bearer + "Content-Length: 0\r\n",
           k_line + host + bearer + "Content-Length: 99999999999\r\n",
           k_line + host + "Content-Length: 1\r\n",
           k_line + host + "Authorization: Basic abc\r\nContent-Length: 1\r\n",
           k_line + k_headers + "Origin: http://localhost\r\n",
       }) {
    CAPTURE(head);
    CHECK_FALSE(is_read(head + "\r\n"));
  }
}

TEST_CASE("a head that two readers could take differently is left alone") {
  for (const char* more : {
           "Content-Length: 12\r\n",
           "content-length: 13\r\n",
           "Transfer-Encoding: chunked\r\n",
           "Host: localhost\r\n",
           "Content-Encoding: gzip\r\n",
           "Expect: 100-continue\r\n",
           "Connection: close\r\n",
           "Connection: Upgrade\r\n",
           "Authorization: Bearer other\r\n",
           "User-Agent: a%20b\r\n",
           "User-Agent: a\x01\r\n",
           "User-Agent : a\r\n",
           " folded\r\n",
           "no colon\r\n",
           ": nameless\r\n",
           "a: b\nContent-Length: 5\r\n",
       }) {
    CAPTURE(more);
    CHECK_FALSE(is_read(k_line + k_headers + more + "\r\n"));
    CHECK_FALSE(is_read(k_line + more + k_headers + "\r\n"));
  }
  const std::string headers = "Host: localhost\r\nAuthorization: Bearer sk-nemo-1\r\n";
  for (const char* length : {"+1", "-1", "1 2", "0x1", "1,1", "", "184467440737095516160"}) {
    CHECK_FALSE(is_read(k_line + headers + "Content-Length: " + length + "\r\n\r\n"));
  }
}

TEST_CASE("a request line that is not plain is left alone") {
  for (const char* line : {"POST /v1/chat/completions?key=1 HTTP/1.1", "POST /v1/chat%2Fcompletions HTTP/1.1",
                           "POST /v1/chat/completions HTTP/1.0", "POST  /v1/chat/completions HTTP/1.1",
                           "post /v1/chat/completions HTTP/1.1", "POST HTTP/1.1", "POST  HTTP/1.1", "",
                           "POST http://localhost/v1/chat/completions HTTP/1.1"}) {
    CAPTURE(line);
    CHECK_FALSE(is_read(line + ("\r\n" + k_headers) + "\r\n"));
  }
  CHECK_FALSE(is_read(k_line + k_headers + "X: " + std::string(9000, 'x') + "\r\n\r\n"));
}

}  // namespace nemo::test::call_head_test
