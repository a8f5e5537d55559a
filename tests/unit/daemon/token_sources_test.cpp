#include "daemon/token_sources.h"

#include <doctest/doctest.h>

#include "tests/unit/daemon/world.h"

namespace nemo::test::token_sources_test {

using namespace nemo;
using namespace nemo::test;

namespace {

config::Upstream vertex(const std::string& name, const std::string& credentials) {
  config::Upstream upstream;
  upstream.name = name;
  upstream.kind = config::UpstreamKind::vertex;
  upstream.project = "my-project";
  upstream.location = "global";
  upstream.credentials = credentials;
  return upstream;
}

struct Sources {
  TempFolder folder;
  std::string file = (folder.path() / "key.json").string();
  int made = 0;
  TokenSources sources{[](const char*) { return std::nullopt; },
                       [this](upstream::google::Identity, const config::Upstream&) {
                         ++made;
                         return std::make_shared<NoTokens>();
                       }};

  Sources() { write_file(file, user_credentials()); }
};

}  // namespace

TEST_CASE("upstreams with the same credentials share one source of tokens") {
  Sources world;
  const auto found = world.sources.refresh({vertex("eu", "file:" + world.file), vertex("us", "file:" + world.file)});
  REQUIRE(found.at("eu").ok());
  REQUIRE(found.at("us").ok());
  CHECK(found.at("eu")->tokens == found.at("us")->tokens);
  CHECK(found.at("eu")->project == "my-project");
  CHECK(world.made == 1);
}

TEST_CASE("a source is kept across reloads while credentials and token_url stay the same") {
  Sources world;
  auto upstream = vertex("eu", "file:" + world.file);
  const auto first = world.sources.refresh({upstream}).at("eu")->tokens;
  upstream.location = "us";
  upstream.project = "another";
  CHECK(world.sources.refresh({upstream}).at("eu")->tokens == first);
  upstream.token_url = "http://127.0.0.1:1/token";
  CHECK(world.sources.refresh({upstream}).at("eu")->tokens != first);
  CHECK(world.made == 2);
}

TEST_CASE("a credentials file that was changed makes a new source") {
  Sources world;
  const auto first = world.sources.refresh({vertex("eu", "file:" + world.file)}).at("eu")->tokens;
  write_file(world.file, user_credentials("1//longer-than-before"));
  CHECK(world.sources.refresh({vertex("eu", "file:" + world.file)}).at("eu")->tokens != first);
}

TEST_CASE("a source that no upstream needs any more lives only as long as somebody holds it") {
  Sources world;
  auto held = world.sources.refresh({vertex("eu", "file:" + world.file)}).at("eu")->tokens;
  const std::weak_ptr<upstream::TokenSource> watched = held;
  world.sources.refresh({});
  CHECK_FALSE(watched.expired());
  held.reset();
  CHECK(watched.expired());
}

TEST_CASE("credentials that cannot be used are told with the file and what is wrong, and make no source") {
  Sources world;
  write_file(world.file, R"({"type":"service_account","client_email":"a@b"})");
  const auto found = world.sources.refresh({vertex("eu", "file:" + world.file)});
  REQUIRE_FALSE(found.at("eu").ok());
  CHECK(found.at("eu").error().message.find(world.file) != std::string::npos);
  CHECK(found.at("eu").error().message.find("private_key") != std::string::npos);
  CHECK(world.made == 0);
}

TEST_CASE("upstreams of other kinds have no source of tokens") {
  Sources world;
  config::Upstream other;
  other.name = "local";
  CHECK(world.sources.refresh({other}).empty());
}

}  // namespace nemo::test::token_sources_test
