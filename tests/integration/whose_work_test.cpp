// A call is told by the process that made it, and by the project and branch that it works in.
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "child_process.h"
#include "harness.h"

namespace nemo::test::whose_work_test {

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

struct World {
  World() {
    rig.upstream.script({{"delay_ms", 100}});  // a while in which the caller can be found
    root = fs::canonical(folder.path());
  }
  // The origin comes with the row if it is there by then, which nobody promises: calls until it is.
  test::Json call_until_known(const fs::path& from) {
    test::Json row;
    test::eventually([&] {
      REQUIRE(call_from(from, rig) == 0);
      const auto rows = rig.rows(++calls);
      REQUIRE(rows.size() == calls);
      row = rows.back();
      return row.at("process") == "curl";
    });
    return row;
  }

  test::TempFolder folder;
  fs::path root;
  test::Rig rig;
  std::size_t calls = 0;  // each with its row
};

test::Json usage_by_project(test::Rig& rig, const std::string& more = "") {
  return rig.admin("GET", "/usage?by=project" + more);
}

}  // namespace

TEST_CASE("the row of a call has the project and the branch that the calling process works in") {
  World world;
  const fs::path api = make_repository(world.root / "api", "feature/x");
  const test::Json row = world.call_until_known(api / "src");
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
  for (const fs::path& project : {here, there, web}) world.call_until_known(project);

  std::map<std::string, std::int64_t> calls_by_path;
  for (const test::Json& row : world.rig.admin("GET", "/calls?limit=10000&paths=true")) {
    ++calls_by_path[row.at("project").get<std::string>()];
  }
  std::map<std::string, std::int64_t> by_path;
  for (const test::Json& row : usage_by_project(world.rig, "&paths=true")) {
    by_path[row.at("group").get<std::string>()] = row.at("calls").get<std::int64_t>();
  }
  for (const fs::path& project : {here, there, web}) REQUIRE(calls_by_path[project.string()] > 0);
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
  constexpr std::size_t k_calls = 20;
  std::string urls;
  for (std::size_t i = 0; i < k_calls; ++i) {
    urls += " -o /dev/null http://127.0.0.1:" + std::to_string(world.rig.port()) + "/v1/chat/completions";
  }
  // Where a machine is so busy that even the last came too early, another connection may have more luck.
  const bool was_known = test::eventually([&] {
    test::ChildProcess curl({"/bin/sh", "-c", "cd '" + api.string() + "' && exec " + head + urls});
    REQUIRE(curl.wait() == 0);
    const auto rows = world.rig.rows(world.calls += k_calls);
    REQUIRE(rows.size() == world.calls);
    bool known = false;
    for (std::size_t i = rows.size() - k_calls; i < rows.size(); ++i) {
      if (known) CHECK(rows[i].at("project") == "api");
      known = known || rows[i].at("project") == "api";
    }
    return known;
  });
  CHECK(was_known);
}

TEST_CASE("with whose_work = false nobody looks") {
  test::Rig::Options options;
  options.toml = "whose_work = false";
  const test::TempFolder folder;
  test::Rig rig(options);
  rig.upstream.script({{"delay_ms", 100}});
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
  const test::Json row = world.call_until_known("/proc");
  CHECK(row.at("process") == "curl");
  CHECK(row.at("project") == "");
  CHECK(row.at("branch") == "");
}

}  // namespace nemo::test::whose_work_test
