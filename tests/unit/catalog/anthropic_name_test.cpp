#include "daemon/catalog/anthropic_name.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "daemon/catalog/catalog.h"

namespace nemo::test::anthropic_name_test {

using nemo::catalog::anthropic_name;

TEST_CASE("a dated version stands behind a hyphen, and the default version is none") {
  struct Case {
    const char* id;
    const char* name;
  };
  for (const Case& one : {Case{"claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929"},
                          Case{"claude-3-5-haiku@20241022", "claude-3-5-haiku-20241022"},
                          Case{"claude-sonnet-4-6@default", "claude-sonnet-4-6"}, Case{"claude-x", "claude-x"},
                          Case{"claude-x@", "claude-x"}, Case{"", ""}}) {
    CAPTURE(one.id);
    CHECK(anthropic_name(one.id) == one.name);
  }
}

TEST_CASE("no two models of the catalog have one name at Anthropic, and none keeps an at sign") {
  std::set<std::string> names;
  for (const auto& model : nemo::catalog::builtin_models()) {
    if (model.publisher != nemo::catalog::k_anthropic) continue;
    CAPTURE(model.id);
    const std::string name = anthropic_name(model.id);
    CHECK(names.insert(name).second);
    CHECK(name.find('@') == std::string::npos);
  }
  CHECK(names.size() == 13);
}

}  // namespace nemo::test::anthropic_name_test
