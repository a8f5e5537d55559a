#include <doctest/doctest.h>

#include "world.h"

namespace nemo::test::implicit_deployments_test {

using namespace nemo;
using namespace nemo::test;

namespace {

Ids served_by(const World& world, const std::string& upstream) {
  Ids ids;
  for (const routing::Deployment& one : world.table.deployments) {
    if (one.upstream == upstream) ids.push_back(one.id);
  }
  return ids;
}

}  // namespace

TEST_CASE("an upstream without deployments serves every catalog model that it lists, and no other") {
  World world;
  routing::add_implicit_deployments(world.table, world.catalog,
                                    {"new", false, false, std::set<std::string>{"big", "not-in-the-catalog"}});
  CHECK(served_by(world, "new") == Ids{"big@new"});
}

TEST_CASE("while its list is not known it serves every catalog model") {
  World world;
  routing::add_implicit_deployments(world.table, world.catalog, {"new", false, false, std::nullopt});
  CHECK(served_by(world, "new").size() == world.catalog.models().size());
}

TEST_CASE("an empty list is a list: nothing is served") {
  World world;
  routing::add_implicit_deployments(world.table, world.catalog, {"new", false, false, std::set<std::string>{}});
  CHECK(served_by(world, "new").empty());
}

TEST_CASE("an upstream with explicit deployments serves these only") {
  World world;
  const auto before = world.table.deployments.size();
  routing::add_implicit_deployments(world.table, world.catalog, {"up", false, false, std::nullopt});
  CHECK(world.table.deployments.size() == before);
}

TEST_CASE("what is true of an upstream is true of its deployments") {
  World world;
  routing::add_implicit_deployments(world.table, world.catalog, {"new", true, true, std::set<std::string>{"big"}});
  const routing::Deployment& made = world.table.deployments.back();
  CHECK(made.unpriced_allowed);
  CHECK(made.keyless);
  CHECK(made.upstream_model == "big");
  CHECK(made.order == 1);
}

}  // namespace nemo::test::implicit_deployments_test
