#include "daemon/configuration.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/daemon/world.h"

namespace nemo::test::configuration_test {

using namespace nemo;
using namespace nemo::test;

namespace {

const std::string k_local = "[[upstream]]\nname = \"local\"\nbase_url = \"http://127.0.0.1:1/v1\"\n";

std::string deployment(const std::string& model, const std::string& upstream, const std::string& more = {}) {
  return "[[deployment]]\nmodel = \"" + model + "\"\nupstream = \"" + upstream + "\"\n" + more;
}

std::string vertex_with(const std::string& line) {
  return "[[upstream]]\nname = \"v\"\nkind = \"vertex\"\nproject = \"p\"\n" + line + "\n";
}

}  // namespace

TEST_CASE("what a deployment has shown is kept across a reload, and forgotten once it is gone") {
  World world(k_local + deployment("codestral-2", "local") + deployment("gemini-2.5-pro", "local"));
  REQUIRE(world.configuration.load().ok());
  const auto codestral = world.deployment("codestral-2@local")->gauge;
  const auto gemini = world.deployment("gemini-2.5-pro@local")->gauge;

  write_file(world.file, k_local + deployment("codestral-2", "local", "weight = 5\n"));
  REQUIRE(world.configuration.reload().ok());
  REQUIRE(world.deployment("codestral-2@local") != nullptr);
  CHECK(world.deployment("codestral-2@local")->weight == 5);
  CHECK(world.deployment("codestral-2@local")->gauge == codestral);
  CHECK(world.deployment("gemini-2.5-pro@local") == nullptr);

  write_file(world.file, k_local + deployment("gemini-2.5-pro", "local"));
  REQUIRE(world.configuration.reload().ok());
  CHECK(world.deployment("gemini-2.5-pro@local")->gauge != gemini);
}

TEST_CASE("a call keeps the snapshot that it began with, deployments, endpoints and tokens") {
  World world;
  write_file(world.path("key.json"), user_credentials());
  write_file(world.file,
             vertex_with("credentials = \"file:" + world.path("key.json") + "\"") + deployment("codestral-2", "v"));
  REQUIRE(world.configuration.load().ok());
  const auto held = world.live.get();
  write_file(world.file, k_local);
  REQUIRE(world.configuration.reload().ok());
  REQUIRE(held->table.deployments.size() == 1);
  CHECK(held->table.deployments[0].id == "codestral-2@v");
  CHECK(held->endpoints.at("v").tokens->token()->expose() == "token");
  CHECK_FALSE(world.live.get()->endpoints.contains("v"));
}

TEST_CASE("a file that does not parse is refused, and what runs stays") {
  World world(k_local + deployment("codestral-2", "local"));
  REQUIRE(world.configuration.load().ok());
  write_file(world.file, k_local + deployment("codestral-2", "nowhere"));
  const auto refused = world.configuration.reload();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.starts_with(world.file.string() + ":6:12: "));
  CHECK(world.configuration.last_error() == refused.error().message);
  CHECK(world.deployment("codestral-2@local") != nullptr);
}

TEST_CASE("a credentials file that is not there is refused with file and line") {
  World world(vertex_with("credentials = \"file:/no/such/key.json\""));
  const auto loaded = world.configuration.load();
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().message.starts_with(world.file.string() + ":5:15: "));
  CHECK(loaded.error().message.find("/no/such/key.json") != std::string::npos);
}

TEST_CASE("a credentials file that is none leaves its upstream out with the reason, and everything else runs") {
  World world;
  write_file(world.path("key.json"), R"({"type":"service_account","client_email":"a@b"})");
  write_file(world.file, k_local + vertex_with("credentials = \"file:" + world.path("key.json") + "\""));
  REQUIRE(world.configuration.load().ok());
  const auto now = world.live.get();
  CHECK(now->endpoints.at("v").unusable.find("private_key") != std::string::npos);
  CHECK(now->endpoints.at("v").tokens == nullptr);
  CHECK(world.deployment("codestral-2@v")->keyless);
  CHECK(world.deployment("codestral-2@v")->unusable.find("private_key") != std::string::npos);
  CHECK_FALSE(world.deployment("codestral-2@local")->keyless);
}

TEST_CASE("a credentials file that was mended is used without a change of the config") {
  World world;
  write_file(world.path("key.json"), "{}");
  write_file(world.file, vertex_with("credentials = \"file:" + world.path("key.json") + "\""));
  REQUIRE(world.configuration.load().ok());
  CHECK(world.deployment("codestral-2@v")->keyless);
  CHECK_FALSE(world.configuration.reload_if_changed());
  write_file(world.path("key.json"), user_credentials());
  CHECK(world.configuration.reload_if_changed());
  CHECK_FALSE(world.deployment("codestral-2@v")->keyless);
  CHECK(world.live.get()->endpoints.at("v").unusable.empty());
  CHECK_FALSE(world.configuration.reload_if_changed());
}

TEST_CASE("without a project in the config the environment's is used, and without any the upstream says so") {
  World world;
  write_file(world.path("key.json"), user_credentials());
  write_file(world.file,
             "[[upstream]]\nname = \"v\"\nkind = \"vertex\"\ncredentials = \"file:" + world.path("key.json") + "\"\n");
  REQUIRE(world.configuration.load().ok());
  CHECK(world.live.get()->endpoints.at("v").unusable.find("project") != std::string::npos);
  world.environment["GOOGLE_CLOUD_PROJECT"] = "from-environment";
  world.environment["GOOGLE_CLOUD_QUOTA_PROJECT"] = "payer";
  REQUIRE(world.configuration.reload().ok());
  CHECK(world.live.get()->endpoints.at("v").settings.project == "from-environment");
  CHECK(world.live.get()->endpoints.at("v").quota_project == "payer");
  CHECK(world.live.get()->settings.find_upstream("v")->project.empty());  // what is shown is what was written
}

TEST_CASE("tokens are asked for once, however often the config is read") {
  World world;
  write_file(world.path("key.json"), user_credentials());
  write_file(world.file, vertex_with("credentials = \"file:" + world.path("key.json") + "\""));
  REQUIRE(world.configuration.load().ok());
  world.configuration.rebuild();
  REQUIRE(world.configuration.reload().ok());
  CHECK(world.sources_made == 1);
}

TEST_CASE("a lane is not set to a model that it falls back on") {
  World world(k_local + "[lane.completion]\nfallbacks = [\"codestral-2\"]\n");
  REQUIRE(world.configuration.load().ok());
  const auto refused = world.configuration.set_lane_model("completion", "codestral-2");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("own model") != std::string::npos);
  CHECK(world.live.get()->settings.lanes.at("completion").model == "gemini-2.5-flash");
}

}  // namespace nemo::test::configuration_test
