#include "shared/resemblance.h"

#include <doctest/doctest.h>

namespace nemo::test::resemblance_test {

using nemo::edit_distance;
using nemo::resemblance;

TEST_CASE("one slip of the finger is one step of distance") {
  CHECK(edit_distance("flash", "flash") == 0);
  CHECK(edit_distance("flash", "flas") == 1);
  CHECK(edit_distance("flash", "fllash") == 1);
  CHECK(edit_distance("flash", "flish") == 1);
  CHECK(edit_distance("flash", "flahs") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the distance is the same in both directions") {
  CHECK(edit_distance("gemini-2.5-pro", "gemini-2.5-flash") == edit_distance("gemini-2.5-flash", "gemini-2.5-pro"));
}

TEST_CASE("names that share nothing do not resemble each other") {
  CHECK(resemblance("zzz", "gemini-2.5-flash") == 0);
  CHECK(resemblance("", "gemini-2.5-flash") == 0);
}

TEST_CASE("the same name resembles itself more than any other") {
  CHECK(resemblance("codestral-2", "codestral-2") > resemblance("codestral-2", "codestral-2501"));
}

}  // namespace nemo::test::resemblance_test
