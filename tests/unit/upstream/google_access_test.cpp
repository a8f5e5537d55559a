#include "daemon/upstream/google/google_access.h"

#include <doctest/doctest.h>

#include <fstream>
#include <map>

#include "fake_clock.h"
#include "google_scripted.h"
#include "temp_folder.h"

namespace nemo::test::google_access_test {

using namespace nemo;
using namespace nemo::test;
using namespace nemo::upstream::google;

namespace {

struct Setting {
  TempFolder folder;
  FakeClock clock;
  FakeGoogle google;
  config::Upstream settings;

  Setting() {
    settings.name = "vertex-eu";
    settings.location = "europe-west4";
    settings.credentials = "file:" + (folder.path() / "key.json").string();
    put(service_account_json());
  }
  void put(const Json& file) const { std::ofstream(folder.path() / "key.json") << file.dump(); }
  Result<Access> open() {
    return open_access(
        settings, [](const char*) { return std::nullopt; }, google, clock);
  }
};

}  // namespace

TEST_CASE("an upstream's settings give its place, its headers and its tokens") {
  Setting setting;
  setting.put(authorized_user_json());
  setting.settings.project = "my-project";
  setting.settings.base_url = "http://127.0.0.1:80";
  setting.settings.token_url = "http://127.0.0.1:80/token";
  setting.google.gives("one");
  const auto access = setting.open();
  REQUIRE(access.ok());
  CHECK(access->place.project == "my-project");
  CHECK(access->place.location == "europe-west4");
  CHECK(access->place.base_url == "http://127.0.0.1:80");
  CHECK(access->headers == std::vector<std::string>{"x-goog-user-project: quota-project"});
  const auto token = access->tokens->token();
  REQUIRE(token.ok());
  CHECK(token->expose() == "one");
  CHECK(setting.google.request(0).url == "http://127.0.0.1:80/token");
}

TEST_CASE("the project of the key's file is used when the config names none") {
  Setting setting;
  setting.google.gives("one");
  const auto access = setting.open();
  REQUIRE(access.ok());
  CHECK(access->place.project == "file-project");
  CHECK(access->tokens->token().ok());
}

TEST_CASE("what is wrong with an upstream is told with its name, and nobody is asked for a token") {
  Setting setting;
  setting.settings.location.clear();
  const auto access = setting.open();
  REQUIRE(!access.ok());
  CHECK(access.error().kind == ErrorKind::invalid_config);
  CHECK_MESSAGE(access.error().message.find("upstream \"vertex-eu\": no location") != std::string::npos,
                access.error().message);
  CHECK(setting.google.asked() == 0);
}

TEST_CASE("the certificates of a private place for the calls are not those of Google's token endpoint") {
  struct Row {
    const char* base_url;
    const char* token_url;
    const char* ca_file;
  };
  for (const Row& row : {Row{"", "", "ca.pem"}, Row{"https://private", "", ""},
                         Row{"https://private", "https://private/token", "ca.pem"}}) {
    Setting setting;
    setting.settings.ca_file = "ca.pem";
    setting.settings.base_url = row.base_url;
    setting.settings.token_url = row.token_url;
    setting.google.gives("one");
    const auto access = setting.open();
    REQUIRE(access.ok());
    REQUIRE(access->tokens->token().ok());
    CHECK(setting.google.request(0).ca_file == row.ca_file);
  }
}

}  // namespace nemo::test::google_access_test
