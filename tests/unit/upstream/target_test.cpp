#include "daemon/upstream/local/target.h"

#include <doctest/doctest.h>

namespace nemo::test::target_test {

using nemo::upstream::local::read_target;

TEST_CASE("a URL of this machine is taken apart") {
  const auto target = read_target("http://127.0.0.1:8080/v1/chat/completions?x=%20y");
  REQUIRE(target.has_value());
  CHECK(target->authority == "127.0.0.1:8080");
  CHECK(target->host == "127.0.0.1");
  CHECK(target->port == 8080);
  CHECK(target->path == "/v1/chat/completions?x=%20y");
  CHECK(read_target("http://localhost")->port == 80);
  CHECK(read_target("http://localhost")->path.empty());
  CHECK(read_target("http://[::1]:11434/api")->host == "::1");
  CHECK(read_target("http://[::1]:11434/api")->port == 11434);
  CHECK(read_target("http://127.8.9.10/")->host == "127.8.9.10");
}

TEST_CASE("what is not in clear, not here, or says more, is left to others") {
  for (const char* url :
       {"", "http://", "https://127.0.0.1/", "ftp://127.0.0.1/", "http://example.com/", "http://127.example.com/",
        "http://10.0.0.1/", "http://user:word@127.0.0.1/", "http://[bad", "http://[::2]/", "http://127.0.0.1:/",
        "http://127.0.0.1:0/", "http://127.0.0.1:70000/", "http://127.0.0.1:80x/", "http://127.0.0.1/a b",
        "http://127.0.0.1/a#b", "http://127.0.0.1?q", "http://127.0.0.1/\xc3\xa4", "http://127.0.0.1/\r\nX: y"}) {
    CAPTURE(url);
    CHECK_FALSE(read_target(url).has_value());
  }
}

}  // namespace nemo::test::target_test
