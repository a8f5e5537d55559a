// A call is told by the process that made it, and by the project and branch that it works in.
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "child_process.h"
#include "harness.h"

using namespace nemo;
namespace fs = std::filesystem;

namespace {

const char* const k_body = R"({"model":"gemini-2.5-flash","messages":[{"role":"user","content":"hi"}]})";

// As `git init` makes it, as far as it matters here.
fs::path make_repository(const fs::path& folder, const std::string& branch) {
  fs::create_directories(folder / ".git" / "refs" / "heads");
  fs::create_directories(folder / "src");
  std::ofstream(folder / ".git" / "HEAD") << "ref: refs/heads/" << branch << '\n';
  return folder;
}

// curl in a folder, as an assistant would call.
int call_from(const fs::path& folder, const test::Rig& rig) {
  const std::string command = "cd '" + folder.string() +
                              "' && exec curl -s -S -o /dev/null -H 'authorization: Bearer " + rig.key() +
                              "' -H 'content-type: application/json' --data-binary '" + k_body +
                              "' http://127.0.0.1:" + std::to_string(rig.port()) + "/v1/chat/completions";
  test::ChildProcess curl({"/bin/sh", "-c", command});
  return curl.wait();
}

// The origin comes with the row if it is there by then, which nobody promises: calls until it is.
test::Json call_until_known(test::Rig& rig, const fs::path& folder) {
  test::Json row;
  test::eventually(
      [&] {
        REQUIRE(call_from(folder, rig) == 0);
        const auto all = rig.admin("GET", "/calls?limit=10000");
        if (all.empty()) return false;
        row = all.back();
        return row.at("process") == "curl";
      },
      std::chrono::seconds(60));
  return row;
}

struct World {
  World() {
    rig.upstream.script({{"delay_ms", 100}});
    root = fs::canonical(folder.path());
  }
  test::TempFolder folder;
  fs::path root;
  test::Rig rig;
};

test::Json usage_by_project(test::Rig& rig, const std::string& more = "") {
  return rig.admin("GET", "/usage?by=project" + more);
}

}  // namespace

TEST_CASE("the row of a call has the project and the branch that the calling process works in") {
  World world;
  const fs::path api = make_repository(world.root / "api", "feature/x");
  const test::Json row = call_until_known(world.rig, api / "src");
  CHECK(row.at("project") == "api");
  CHECK(row.at("branch") == "feature/x");
  CHECK(row.at("process") == "curl");
  const std::string id = row.at("id").get<std::string>();
  CHECK(world.rig.admin("GET", "/calls/" + id).at("call").at("project") == "api");
  CHECK(world.rig.admin("GET", "/calls/" + id + "?paths=true").at("call").at("project") == api.string());
  CHECK(world.rig.admin("GET", "/calls?limit=1&paths=true").at(0).at("project") == api.string());
}

TEST_CASE("usage by project sums the calls of each, and folders of one name are told apart by their paths only") {
  World world;
  const fs::path here = make_repository(world.root / "here" / "api", "main");
  const fs::path there = make_repository(world.root / "there" / "api", "main");
  const fs::path web = make_repository(world.root / "web", "main");
  for (const fs::path& project : {here, there, web}) call_until_known(world.rig, project);

  std::map<std::string, std::int64_t> calls_by_path;
  std::map<std::string, std::int64_t> by_path;
  // Rows are written behind the answers: a late one would be in the second list only.
  test::eventually([&] {
    calls_by_path.clear();
    for (const test::Json& row : world.rig.admin("GET", "/calls?limit=10000&paths=true")) {
      ++calls_by_path[row.at("project").get<std::string>()];
    }
    by_path.clear();
    for (const test::Json& row : usage_by_project(world.rig, "&paths=true")) {
      by_path[row.at("group").get<std::string>()] = row.at("calls").get<std::int64_t>();
    }
    return calls_by_path[web.string()] > 0 && by_path[web.string()] == calls_by_path[web.string()];
  });
  REQUIRE(calls_by_path[here.string()] > 0);
  REQUIRE(calls_by_path[there.string()] > 0);
  CHECK(by_path[here.string()] == calls_by_path[here.string()]);
  CHECK(by_path[there.string()] == calls_by_path[there.string()]);
  CHECK(by_path[web.string()] == calls_by_path[web.string()]);
  std::map<std::string, std::int64_t> by_name;
  for (const test::Json& row : usage_by_project(world.rig)) {
    by_name[row.at("group").get<std::string>()] = row.at("calls").get<std::int64_t>();
  }
  CHECK(by_name["api"] == calls_by_path[here.string()] + calls_by_path[there.string()]);
  CHECK(by_name["web"] == calls_by_path[web.string()]);
  for (const auto& [name, calls] : by_name) CHECK(name.find('/') == std::string::npos);
}

TEST_CASE("a connection that lives on has its origin for every call after the first") {
  World world;
  const fs::path api = make_repository(world.root / "api", "main");
  const std::string head = "curl -s -S -o /dev/null -H 'authorization: Bearer " + world.rig.key() +
                           "' -H 'content-type: application/json' --data-binary '" + k_body + "'";
  std::string urls;
  for (int i = 0; i < 20; ++i) {
    urls += " -o /dev/null http://127.0.0.1:" + std::to_string(world.rig.port()) + "/v1/chat/completions";
  }
  test::ChildProcess curl({"/bin/sh", "-c", "cd '" + api.string() + "' && exec " + head + urls});
  REQUIRE(curl.wait() == 0);
  const auto rows = world.rig.rows(20);
  REQUIRE(rows.size() == 20);
  bool known = false;
  for (const test::Json& row : rows) {
    if (known) CHECK(row.at("project") == "api");
    known = known || row.at("project") == "api";
  }
  CHECK(known);
}

TEST_CASE("with whose_work = false nobody looks") {
  test::Rig::Options options;
  options.toml = "whose_work = false";
  const test::TempFolder folder;
  test::Rig rig(options);
  rig.upstream.script({{"delay_ms", 50}});
  const fs::path api = make_repository(fs::canonical(folder.path()) / "api", "main");
  for (int i = 0; i < 5; ++i) REQUIRE(call_from(api, rig) == 0);
  for (const test::Json& row : rig.rows(5)) {
    CHECK(row.at("project") == "");
    CHECK(row.at("branch") == "");
    CHECK(row.at("process") == "");
  }
}

TEST_CASE("a process outside of any project has its name in the row, and no project") {
  World world;
  const test::Json row = call_until_known(world.rig, "/proc");
  CHECK(row.at("process") == "curl");
  CHECK(row.at("project") == "");
  CHECK(row.at("branch") == "");
}
