#include "daemon/origin/work_tree.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "temp_folder.h"

namespace nemo::test::work_tree_test {

using namespace nemo;
using namespace nemo::origin;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("a HEAD names a branch, with slashes if it has them, or none") {
  CHECK(branch_of("ref: refs/heads/main\n") == "main");
  CHECK(branch_of("ref: refs/heads/fix/the bug\r\n") == "fix/the bug");
  CHECK(branch_of("ref: refs/heads/main") == "main");
  CHECK(branch_of("0123456789abcdef0123456789abcdef01234567\n").empty());
  CHECK(branch_of("ref: refs/heads/.invalid\n").empty());
  CHECK(branch_of("ref: refs/remotes/origin/main\n").empty());
  CHECK(branch_of("").empty());
}

TEST_CASE("the project is the nearest work tree above the folder") {
  const test::TempFolder folder;
  const fs::path outer = folder.path() / "outer";
  const fs::path inner = outer / "deep" / "inner";
  write(outer / ".git" / "HEAD", "ref: refs/heads/main\n");
  write(inner / ".git" / "HEAD", "ref: refs/heads/feature/x\n");
  fs::create_directories(inner / "src" / "a" / "b");
  const auto found = find_work_tree(inner / "src" / "a" / "b");
  REQUIRE(found.has_value());
  CHECK(found->root == inner);
  CHECK(found->branch == "feature/x");
  const auto above = find_work_tree(outer / "deep");
  REQUIRE(above.has_value());
  CHECK(above->root == outer);
  CHECK(above->branch == "main");
  const auto at_root = find_work_tree(outer);
  REQUIRE(at_root.has_value());
  CHECK(at_root->root == outer);
}

TEST_CASE("a linked work tree has the branch of its own HEAD, whether its .git points there by a whole path or not") {
  const test::TempFolder folder;
  const fs::path main = folder.path() / "main";
  write(main / ".git" / "HEAD", "ref: refs/heads/main\n");
  write(main / ".git" / "worktrees" / "w" / "HEAD", "ref: refs/heads/side\n");
  write(folder.path() / "whole" / ".git", "gitdir: " + (main / ".git" / "worktrees" / "w").string() + "\n");
  write(folder.path() / "relative" / ".git", "gitdir: ../main/.git/worktrees/w\n");
  for (const char* name : {"whole", "relative"}) {
    const auto found = find_work_tree(folder.path() / name);
    REQUIRE(found.has_value());
    CHECK(found->root == folder.path() / name);
    CHECK(found->branch == "side");
  }
}

TEST_CASE("a .git that leads nowhere is passed over, as git does with an empty one") {
  const test::TempFolder folder;
  write(folder.path() / ".git" / "HEAD", "0123456789abcdef0123456789abcdef01234567\n");
  fs::create_directories(folder.path() / "empty" / ".git");
  write(folder.path() / "lost" / ".git", "gitdir: /nowhere/at/all\n");
  write(folder.path() / "text" / ".git", "hello\n");
  fs::create_directories(folder.path() / "pipe");
  REQUIRE(::mkfifo((folder.path() / "pipe" / ".git").c_str(), 0600) == 0);
  for (const char* name : {"empty", "lost", "text", "pipe"}) {
    const auto found = find_work_tree(folder.path() / name);
    REQUIRE(found.has_value());
    CHECK(found->root == folder.path());
    CHECK(found->branch.empty());
  }
}

TEST_CASE("a folder that is gone, no folder, and one without a work tree above it have no project") {
  const test::TempFolder folder;
  CHECK_FALSE(find_work_tree(folder.path() / "a (deleted)").has_value());
  CHECK_FALSE(find_work_tree("").has_value());
  CHECK_FALSE(find_work_tree("relative/folder").has_value());
  CHECK_FALSE(find_work_tree("/proc/self").has_value());
}

TEST_CASE("what a .git file points to is read, and nothing else is taken for it") {
  CHECK(git_folder_of("gitdir: ../.git/modules/a\n") == fs::path("../.git/modules/a"));
  CHECK_FALSE(git_folder_of("gitdir: \n").has_value());
  CHECK_FALSE(git_folder_of("gitdir:").has_value());
  CHECK_FALSE(git_folder_of("").has_value());
  CHECK_FALSE(git_folder_of(std::string_view("gitdir: a\0b\n", 12)).has_value());
}

}  // namespace nemo::test::work_tree_test
