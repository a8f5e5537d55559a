#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "daemon/upstream/google/adc.h"
#include "google_key.h"
#include "temp_folder.h"

namespace nemo::test::google_adc_test {

using namespace nemo;
using namespace nemo::test;
using namespace nemo::upstream::google;

namespace {

namespace fs = std::filesystem;

// A home with nothing in it, and an environment that knows only of it.
struct Machine {
  TempFolder folder;
  std::map<std::string, std::string> variables{{"HOME", folder.path().string()}};
  config::Upstream settings;

  Machine() {
    settings.name = "vertex-eu";
    settings.project = "config-project";
  }
  std::string put(const fs::path& below, const Json& content) const {
    const fs::path file = folder.path() / below;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content.dump();
    return file.string();
  }
  Result<Identity> find() const {
    return find_identity(settings, [this](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    });
  }
};

const fs::path k_well_known = ".config/gcloud/application_default_credentials.json";

Json account_named(const std::string& email) {
  Json file = service_account_json();
  file["client_email"] = email;
  return file;
}

// Whom the machine calls as: the address of an account, "user", or the URL of the metadata server.
std::string who(const Machine& machine) {
  const auto found = machine.find();
  if (!found) return "error: " + found.error().message;
  if (const auto* account = std::get_if<ServiceAccount>(&found->credentials)) return account->client_email;
  if (const auto* server = std::get_if<MetadataServer>(&found->credentials)) return server->base_url;
  return "user";
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("credentials are looked for in the config's file, the environment's, the well-known one, then the machine") {
  Machine machine;
  CHECK(who(machine) == "http://169.254.169.254");
  machine.put(k_well_known, authorized_user_json());
  CHECK(who(machine) == "user");
  machine.variables["GOOGLE_APPLICATION_CREDENTIALS"] = machine.put("env.json", account_named("env@x"));
  CHECK(who(machine) == "env@x");
  machine.settings.credentials = "file:" + machine.put("config.json", account_named("config@x"));
  CHECK(who(machine) == "config@x");
}

TEST_CASE("the well-known file lies in CLOUDSDK_CONFIG when that is set") {
  Machine machine;
  machine.put(k_well_known, account_named("home@x"));
  machine.variables["CLOUDSDK_CONFIG"] = (machine.folder.path() / "sdk").string();
  CHECK(who(machine) == "http://169.254.169.254");
  machine.put("sdk/application_default_credentials.json", account_named("sdk@x"));
  CHECK(who(machine) == "sdk@x");
}

TEST_CASE("a file that is named and cannot be read is an error, whatever else there is") {
  Machine machine;
  machine.put(k_well_known, authorized_user_json());
  machine.variables["GOOGLE_APPLICATION_CREDENTIALS"] = (machine.folder.path() / "absent.json").string();
  CHECK_MESSAGE(has(who(machine), "absent.json cannot be read"), who(machine));
  CHECK_MESSAGE(has(who(machine), "GOOGLE_APPLICATION_CREDENTIALS"), who(machine));
  machine.settings.credentials = "file:/nowhere/key.json";
  CHECK_MESSAGE(has(who(machine), "/nowhere/key.json cannot be read"), who(machine));
  CHECK_MESSAGE(has(who(machine), "\"vertex-eu\""), who(machine));
}

TEST_CASE("a well-known file that is there and wrong is an error, not passed over") {
  Machine machine;
  machine.put(k_well_known, {{"type", "external_account"}});
  CHECK_MESSAGE(has(who(machine), "external_account"), who(machine));
}

TEST_CASE("the lower-case form of the variable counts when the other is not set") {
  Machine machine;
  machine.variables["google_application_credentials"] = machine.put("lower.json", account_named("lower@x"));
  CHECK(who(machine) == "lower@x");
  machine.variables["GOOGLE_APPLICATION_CREDENTIALS"] = machine.put("upper.json", account_named("upper@x"));
  CHECK(who(machine) == "upper@x");
}

TEST_CASE("the metadata server is where the environment says") {
  Machine machine;
  machine.variables["GCE_METADATA_HOST"] = "metadata.google.internal";
  CHECK(who(machine) == "http://metadata.google.internal");
  machine.variables["GCE_METADATA_IP"] = "127.0.0.1:8080";
  CHECK(who(machine) == "http://127.0.0.1:8080");
  machine.variables["GCE_METADATA_IP"] = "http://127.0.0.1:8081/";
  CHECK(who(machine) == "http://127.0.0.1:8081");
}

TEST_CASE("the project is the config's, else the environment's, else the file's") {
  Machine machine;
  machine.settings.credentials = "file:" + machine.put("key.json", service_account_json());
  const auto project = [&] { return machine.find()->project; };
  CHECK(project() == "config-project");
  machine.settings.project.clear();
  CHECK(project() == "file-project");
  machine.variables["GOOGLE_CLOUD_PROJECT"] = "env-project";
  CHECK(project() == "env-project");
  machine.variables["GCLOUD_PROJECT"] = "older-project";
  CHECK(project() == "older-project");
  machine.settings.project = "config-project";
  CHECK(project() == "config-project");
}

TEST_CASE("without a project the message says where to write one") {
  Machine machine;
  machine.settings.project.clear();
  CHECK_MESSAGE(has(who(machine), "upstream \"vertex-eu\": no project"), who(machine));
  CHECK_MESSAGE(has(who(machine), "GOOGLE_CLOUD_PROJECT"), who(machine));
}

TEST_CASE("a project that could break out of a URL or a header is refused") {
  Machine machine;
  for (const char* bad : {"a/b", "a b", "a\r\nx: y", "A", "a?b"}) {
    machine.settings.project = bad;
    CHECK_MESSAGE(has(who(machine), "is not a project id"), bad);
  }
  machine.settings.project = "example.com:old-project-1";
  CHECK(who(machine) == "http://169.254.169.254");
  machine.variables["GOOGLE_CLOUD_QUOTA_PROJECT"] = "q\r\nx-evil: 1";
  CHECK(has(who(machine), "is not a project id"));
}

TEST_CASE("the quota project is the environment's, else the file's") {
  Machine machine;
  CHECK(machine.find()->quota_project.empty());
  machine.put(k_well_known, authorized_user_json());
  CHECK(machine.find()->quota_project == "quota-project");
  machine.variables["GOOGLE_CLOUD_QUOTA_PROJECT"] = "env-quota";
  CHECK(machine.find()->quota_project == "env-quota");
}

}  // namespace nemo::test::google_adc_test
