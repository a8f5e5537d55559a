// Every client's settings, put into files as people have them and taken out again.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/editors/connection.h"
#include "cli/editors/line_diff.h"
#include "cli/editors/settings_edit.h"
#include "cli/editors/settings_file.h"
#include "cli/editors/survey.h"
#include "tests/cli/fake_daemon.h"

namespace nemo::test::connected_clients_test {

using namespace nemo;
using namespace nemo::cli::editors;
namespace fs = std::filesystem;

namespace {

constexpr const char* k_url = "http://127.0.0.1:6366";
const Target k_target{k_url, "sk-nemo-abcdefghijklmnop", false, false};

struct Home {
  test::TemporaryFolder folder;
  std::map<std::string, std::string> variables;

  Environment environment() const {
    return [this](const char* name) -> std::optional<std::string> {
      if (std::string(name) == "HOME") return folder.path().string();
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
  }
  Places places() const { return Places(environment()); }
  fs::path write(const std::string& file, const std::string& text) const {
    const fs::path path = folder.path() / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
};

// Settings of the kind that people have, for each format.
std::vector<std::string> texts_of(const Client& client, Format format) {
  if (format == Format::toml) {
    return {
        "", "# mine\nmodel = \"gpt-5-codex\" # fast\napproval_policy = \"on-request\"\n\n[tui]\nnotifications = true\n",
        "model_provider = \"azure\"\n\n[model_providers.azure]\nname = \"Azure\" # work\nbase_url = \"https://x\"\n",
        "[projects.\"/home/a\"]\ntrust_level = \"trusted\"\n"};
  }
  if (format == Format::dotenv) {
    return {"", "# keys\nexport FOO=bar\n", "GEMINI_API_KEY=\"AIzaSomething\" # old\nOPENAI_API_KEY=sk-old\n", "A=1"};
  }
  if (format == Format::yaml && client.name == "continue") {
    return {"", "name: Local Config\nversion: 1.0.0\nschema: v1\nmodels: []\n",
            "name: Me # x\nversion: 1.0.0\nschema: v1\nmodels:\n  - name: Qwen\n    provider: ollama\n"
            "    model: qwen # c\ncontext:\n  - provider: code\n"};
  }
  if (format == Format::yaml) return {"", "# aider\nmodel: gpt-4o # best\nauto-commits: false\n", "dark-mode: true"};
  return {"", "{}\n", "{\n    // fonts\n    \"editor.fontSize\": 14, /* large */\n    \"x\": { \"y\": [1,] },\n}\n",
          "{\n\t\"env\": {\n\t\t\"FOO\": \"bar\" // keep\n\t},\n\t\"model\": \"opus\"\n}\n",
          "{\r\n  \"language_models\": {\r\n    \"ollama\": {}\r\n  },\r\n  \"edit_predictions\": {\"provider\": "
          "\"zed\"}\r\n}\r\n"};
}

}  // namespace

TEST_CASE("what is written for a client and undone leaves its file byte for byte; twice written is once written") {
  const Home home;
  int files = 0;
  for (const Client& client : all_clients()) {
    const Plan plan = client.plan(home.places(), k_target);
    if (!plan.edit) continue;
    ++files;
    for (const std::string& text : texts_of(client, plan.edit->format)) {
      INFO(client.name << ": " << text);
      const auto edited = put_settings(text, *plan.edit);
      REQUIRE(edited.ok());
      CHECK(edited->text != text);
      const auto again = put_settings(edited->text, *plan.edit);
      REQUIRE(again.ok());
      CHECK(again->text == edited->text);
      const auto taken = take_settings_out(edited->text, plan.edit->format, edited->settings);
      REQUIRE(taken.ok());
      // An object or file that held nothing is left in the shape in which it was filled.
      const bool was_empty = text.empty() || text == "{}\n";
      if (!was_empty) CHECK(*taken == text);
      CHECK(taken->find("nemo") == std::string::npos);
      CHECK(taken->find("6366") == std::string::npos);
    }
  }
  CHECK(files == 11);
}

TEST_CASE("comments of a client's file are all still there after the write") {
  const Home home;
  for (const Client& client : all_clients()) {
    const Plan plan = client.plan(home.places(), k_target);
    if (!plan.edit) continue;
    for (const std::string& text : texts_of(client, plan.edit->format)) {
      const auto edited = put_settings(text, *plan.edit);
      REQUIRE(edited.ok());
      for (const char* comment : {"# mine", "# fast", "# work", "# keys", "# old", "# x", "# c", "# aider", "# best",
                                  "// fonts", "/* large */", "// keep"}) {
        INFO(client.name << ": " << edited->text);
        if (text.find(comment) != std::string::npos) CHECK(edited->text.find(comment) != std::string::npos);
      }
    }
  }
}

TEST_CASE("after the write each client with a file points here, with the key in it; before, it does not") {
  const Home home;
  for (const Client& client : all_clients()) {
    const Plan plan = client.plan(home.places(), k_target);
    if (!plan.edit) continue;
    INFO(client.name);
    const auto edited = put_settings("", *plan.edit);
    REQUIRE(edited.ok());
    CHECK(*standing_of(edited->text, *plan.edit, k_url) == Standing::here);
    CHECK(*standing_of(edited->text, *plan.edit, "http://localhost:6366") == Standing::here);
    CHECK(*standing_of(edited->text, *plan.edit, "http://127.0.0.1:7777") == Standing::elsewhere);
    CHECK(*standing_of("", *plan.edit, k_url) == Standing::nowhere);
    CHECK(find_key(edited->text, *plan.edit) == k_target.key);
  }
}

TEST_CASE("a client without a file gets lines or steps with address and key") {
  const Home home;
  for (const Client& client : all_clients()) {
    const Plan plan = client.plan(home.places(), k_target);
    if (plan.edit) continue;
    INFO(client.name);
    std::string all = plan.snippet;
    for (const std::string& step : plan.steps) all += step + "\n";
    CHECK(all.find("127.0.0.1:6366") != std::string::npos);
    CHECK(all.find(k_target.key) != std::string::npos);
    CHECK((plan.snippet.empty() || !plan.paste_into.empty()));
  }
}

TEST_CASE("clients have names of their own, and are found by them and by their titles") {
  std::set<std::string_view> names;
  for (const Client& client : all_clients()) {
    CHECK(names.insert(client.name).second);
    CHECK(find_client(client.title) == &client);
  }
  for (const char* name :
       {"continue", "zed",           "copilot",    "jetbrains",    "cline",       "roo",       "opencode",
        "codex",    "claude-code",   "gemini-cli", "qwen-code",    "copilot-cli", "aider",     "avante",
        "minuet",   "codecompanion", "llama-vim",  "llama-vscode", "gptel",       "openai-sdk"}) {
    CAPTURE(name);
    CHECK(names.count(name) == 1);
  }
  CHECK(find_client("CLAUDE-CODE") != nullptr);
  CHECK(find_client("notepad") == nullptr);
}

TEST_CASE("Codex pointing at another provider is elsewhere, though ours is in its file") {
  const Home home;
  const Plan plan = find_client("codex")->plan(home.places(), k_target);
  const auto edited = put_settings("", *plan.edit);
  REQUIRE(edited.ok());
  std::string text = edited->text;
  text.replace(text.find("model_provider = \"nemo\""), 23, "model_provider = \"open\"");
  CHECK(*standing_of(text, *plan.edit, k_url) == Standing::elsewhere);
}

TEST_CASE("the survey finds programs, folders and extensions, and what is written in them") {
  Home home;
  home.write(".claude/settings.json", "{\"env\": {\"ANTHROPIC_BASE_URL\": \"http://localhost:6366\"}}");
  home.write(".config/zed/settings.json", "{ broken");
  home.write(".vscode/extensions/ggml-org.llama-vscode-0.1/package.json", "{}");
  home.write(".config/nvim/lua/ai.lua",
             "require('minuet').setup({ end_point = 'http://127.0.0.1:6366/v1/completions' })");
  const fs::path program = home.write("bin/codex", "#!/bin/sh\n");
  fs::permissions(program, fs::perms::owner_all);
  home.variables = {{"PATH", (home.folder.path() / "bin").string()}, {"OPENAI_BASE_URL", "https://api.openai.com/v1"}};
  std::map<std::string_view, Finding> by_name;
  for (Finding& finding : survey(home.places(), k_url)) by_name[finding.client->name] = finding;
  CHECK(by_name["claude-code"].standing == Standing::here);
  CHECK(by_name["claude-code"].found == (home.folder.path() / ".claude").string());
  CHECK(by_name["zed"].standing == Standing::unknown);
  CHECK(by_name["zed"].fault.find("line 1") != std::string::npos);
  CHECK_FALSE(by_name["llama-vscode"].found.empty());
  CHECK(by_name["minuet"].standing == Standing::here);
  CHECK(by_name["avante"].standing == Standing::nowhere);
  CHECK(by_name["codex"].found == program.string());
  CHECK(by_name["codex"].standing == Standing::nowhere);
  CHECK(by_name["openai-sdk"].standing == Standing::elsewhere);
  CHECK(by_name["jetbrains"].standing == Standing::unknown);
  CHECK_FALSE(by_name["aider"].is_of_interest());
}

TEST_CASE("a file is replaced in one step behind its symlink, keeps its mode, and is not when it changed meanwhile") {
  const Home home;
  const fs::path real = home.write("dotfiles/settings.json", "old");
  fs::permissions(real, fs::perms{0640});
  const fs::path link = home.folder.path() / "settings.json";
  fs::create_symlink("dotfiles/settings.json", link);
  const auto file = load_settings(link);
  REQUIRE(file.ok());
  REQUIRE(replace(*file, "new").ok());
  CHECK(fs::is_symlink(link));
  CHECK(fs::status(real).permissions() == fs::perms{0640});
  CHECK(load_settings(link)->text == "new");
  const auto stale = replace(*file, "newer");
  REQUIRE_FALSE(stale.ok());
  CHECK(stale.error().kind == ErrorKind::conflict);
  CHECK(load_settings(real)->text == "new");
  CHECK(std::distance(fs::directory_iterator(real.parent_path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a file that says that it is read-only is not replaced") {
  const Home home;
  const fs::path path = home.write("a/settings.json", "old");
  fs::permissions(path, fs::perms{0444});
  const auto file = load_settings(path);
  REQUIRE(file.ok());
  const auto refused = replace(*file, "new");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("read-only") != std::string::npos);
  CHECK(load_settings(path)->text == "old");
}

TEST_CASE("a new file that gets a key is for its owner only") {
  const Home home;
  const fs::path path = home.folder.path() / "new" / "folder" / ".env";
  REQUIRE(replace(*load_settings(path), "A=b\n").ok());
  CHECK(fs::status(path).permissions() == fs::perms{0600});
}

TEST_CASE("a backup is made once for a text; an older one is not overwritten") {
  const Home home;
  const fs::path path = home.write("s.json", "one");
  const auto first = make_backup(*load_settings(path));
  CHECK(*first == path.string() + ".nemo-backup");
  CHECK(*make_backup(*load_settings(path)) == *first);
  home.write("s.json", "two");
  CHECK(*make_backup(*load_settings(path)) == path.string() + ".nemo-backup-2");
  CHECK(load_settings(*first)->text == "one");
}

TEST_CASE("the record of a connection is for its owner only, and comes back as it was") {
  const Home home;
  const Connection made{"zed",
                        "key_1",
                        "…abcd",
                        "/f",
                        true,
                        "/b",
                        false,
                        mark_of("text"),
                        {{{"a", "b"}, "\"x\"", 1}, {{"c"}, std::nullopt, 0}}};
  REQUIRE(save_connection(home.environment(), made).ok());
  const auto read = load_connection(home.environment(), "zed");
  REQUIRE(read.ok());
  REQUIRE(read->has_value());
  CHECK((*read)->key_id == "key_1");
  CHECK((*read)->created);
  CHECK_FALSE((*read)->is_whole);
  REQUIRE((*read)->settings.size() == 2);
  CHECK((*read)->settings[0].before == "\"x\"");
  CHECK_FALSE((*read)->settings[1].before);
  const fs::path folder = data_folder(home.environment()) / "connections";
  CHECK(fs::status(folder).permissions() == fs::perms{0700});
  CHECK(fs::status(folder / "zed.json").permissions() == fs::perms{0600});
  REQUIRE(forget_connection(home.environment(), "zed").ok());
  CHECK_FALSE(load_connection(home.environment(), "zed")->has_value());
}

TEST_CASE("a diff shows three lines around a change, and says when a line end is missing") {
  CHECK(unified_diff("a\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n", "f") ==
        "--- f\n+++ f\n@@ -2,4 +2,4 @@\n b\n c\n d\n-e\n+E\n");
  CHECK(unified_diff("", "a\n", "f") == "--- f\n+++ f\n@@ -0,0 +1 @@\n+a\n");
  CHECK(unified_diff("a", "a\nb", "f") ==
        "--- f\n+++ f\n@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n\\ No newline at end of file\n");
  CHECK(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n", "f") ==
        "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n");
  CHECK(unified_diff("a\n", "a\n", "f").empty());
}

}  // namespace nemo::test::connected_clients_test
