#include "daemon/http/gatekeeper.h"

#include <doctest/doctest.h>

#include <string>

namespace nemo::test::gatekeeper_test {

using nemo::config::Settings;
using nemo::http::host_is_allowed;
using nemo::http::origin_is_allowed;

TEST_CASE("this machine is let in by each of its names, with and without a port, in any case") {
  const Settings settings;
  for (const char* host :
       {"localhost", "localhost:6366", "LocalHost:1", "127.0.0.1", "127.0.0.1:6366", "[::1]", "[::1]:6366", ""}) {
    CHECK_MESSAGE(host_is_allowed(host, settings), std::string(host));
  }
}

TEST_CASE("a name that was rebound to this machine is not let in, nor one that only looks like it") {
  const Settings settings;
  for (const char* host : {"evil.example",
                           "evil.example:6366",
                           "localhost.evil.example",
                           "127.0.0.1.nip.io",
                           "127.0.0.1.evil:6366",
                           "evil.example:localhost",
                           "xlocalhost",
                           "localhostx",
                           "127.0.0.2",
                           "127.1",
                           "0.0.0.0",
                           "[::2]",
                           "[::1",
                           "[::1].evil",
                           "::1",
                           "localhost@evil.example",
                           " localhost",
                           "localhost ",
                           "2130706433",
                           "user@localhost",
                           ":6366"}) {
    CHECK_MESSAGE(!host_is_allowed(host, settings), std::string(host));
  }
}

TEST_CASE("the address it listens on and the hosts of the config are let in") {
  Settings settings;
  settings.listen_host = "10.0.0.5";
  settings.allowed_hosts = {"nemo.lan"};
  CHECK(host_is_allowed("10.0.0.5:6366", settings));
  CHECK(host_is_allowed("nemo.lan", settings));
  CHECK(host_is_allowed("Nemo.LAN:6366", settings));
  CHECK(!host_is_allowed("sub.nemo.lan", settings));
  CHECK(!host_is_allowed("10.0.0.55", settings));
}

TEST_CASE("a web page is let in only if the config names its origin, to the letter") {
  Settings settings;
  settings.allowed_origins = {"http://localhost:3000"};
  CHECK(origin_is_allowed("", settings));  // no web page
  CHECK(origin_is_allowed("http://localhost:3000", settings));
  for (const char* origin : {"http://localhost", "http://localhost:3001", "https://localhost:3000",
                             "http://localhost:3000.evil.example", "http://localhost:3000/", "null", "*"}) {
    CHECK_MESSAGE(!origin_is_allowed(origin, settings), std::string(origin));
  }
}

}  // namespace nemo::test::gatekeeper_test
