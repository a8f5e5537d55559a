#include <doctest/doctest.h>

#include "daemon/admin/convert.h"

namespace nemo::test::project_names_test {

using namespace nemo;
using admin::Paths;

namespace {

ledger::UsageRow row(const std::string& group, std::int64_t calls, std::int64_t cost) {
  return {group, calls, 1, 10, 2, 3, NanoUsd{cost}};
}

}  // namespace

TEST_CASE("a project is called by the last part of its path") {
  CHECK(call::project_name("/home/anna/api") == "api");
  CHECK(call::project_name("/home/anna/api/") == "api");
  CHECK(call::project_name("api") == "api");
  CHECK(call::project_name("/") == "/");
  CHECK(call::project_name("").empty());
}

TEST_CASE("the path of a project is told only to who asks for it") {
  call::CallRecord record;
  record.origin = {"node", "/home/anna/api", "main"};
  const admin::Call named = admin::to_call(1, record);
  CHECK(named.project == "api");
  CHECK(named.branch == "main");
  CHECK(named.process == "node");
  CHECK(admin::to_call(1, record, Paths::whole).project == "/home/anna/api");
  CHECK(admin::to_story(record).call.project == "api");
  CHECK(admin::to_story(record, Paths::whole).call.project == "/home/anna/api");
  CHECK(admin::to_paths({}) == Paths::names);
  CHECK(admin::to_paths({{"paths", "false"}}) == Paths::names);
  CHECK(admin::to_paths({{"paths", "true"}}) == Paths::whole);
}

TEST_CASE("projects of one name are one row, nothing of them is lost, and the dearest still comes first") {
  const auto rows = admin::by_project_name(
      {row("/a/web", 1, 60), row("/a/api", 2, 50), row("/b/api", 3, 40), row("", 4, 5), row("/", 5, 1)});
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].group == "api");
  CHECK(rows[0].calls == 5);
  CHECK(rows[0].errors == 2);
  CHECK(rows[0].input_tokens == 20);
  CHECK(rows[0].cached_tokens == 4);
  CHECK(rows[0].output_tokens == 6);
  CHECK(rows[0].cost == NanoUsd{90});
  CHECK(rows[1].group == "web");
  CHECK(rows[2].group.empty());
  CHECK(rows[3].group == "/");
}

TEST_CASE("usage can be asked for by project") {
  const auto query = admin::to_usage_query({{"by", "project"}});
  REQUIRE(query.ok());
  CHECK(query->by == ledger::UsageGroup::project);
}

}  // namespace nemo::test::project_names_test
