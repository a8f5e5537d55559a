#include "daemon/origin/process_table.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "daemon/origin/peer_origins.h"
#include "temp_folder.h"

namespace nemo::test::process_table_test {

using namespace nemo;
using namespace nemo::origin;
namespace fs = std::filesystem;

namespace {

using Inodes = std::unordered_set<std::uint64_t>;

// A folder that looks like /proc.
struct FakeProc {
  FakeProc() {
    fs::create_directories(path() / "self" / "ns");
    fs::create_symlink("mnt:[1]", path() / "self" / "ns" / "mnt");
    fs::create_directories(path() / "net");
  }
  void add(pid_t pid, const std::string& name, const fs::path& folder, const std::vector<std::string>& descriptors,
           const std::string& mounts = "mnt:[1]") {
    const fs::path process = path() / std::to_string(pid);
    fs::create_directories(process / "fd");
    fs::create_directories(process / "ns");
    fs::create_symlink(mounts, process / "ns" / "mnt");
    fs::create_symlink(folder, process / "cwd");
    std::ofstream(process / "comm") << name << '\n';
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      fs::create_symlink(descriptors[i], process / "fd" / std::to_string(i));
    }
  }
  const fs::path& path() const { return m_folder.path(); }

 private:
  test::TempFolder m_folder;
};

}  // namespace

TEST_CASE("the process that has a socket is found, and others that have files and pipes are not taken for it") {
  FakeProc proc;
  proc.add(40, "shell", "/", {"/dev/null", "pipe:[7]", "anon_inode:[eventpoll]"});
  proc.add(41, "node", "/home/anna/api", {"/dev/null", "socket:[7]", "socket:[8]"});
  proc.add(42, "code", "/home/anna", {"socket:[9]", "socket:[]", "socket:[7", "socket:[x]"});
  ProcessTable table(proc.path());
  const auto owners = table.find_owners(Inodes{7, 9, 1234});
  REQUIRE(owners.size() == 2);
  CHECK(owners.at(7) == 41);
  CHECK(owners.at(9) == 42);
  const auto process = table.find(41);
  REQUIRE(process.has_value());
  CHECK(process->name == "node");
  CHECK(process->folder == "/home/anna/api");
}

TEST_CASE("of two processes that share a socket the newer is found, until the older has been found before") {
  FakeProc proc;
  proc.add(50, "old", "/", {"socket:[1]"});
  ProcessTable table(proc.path());
  CHECK(table.find_owners(Inodes{1}).at(1) == 50);
  ProcessTable fresh(proc.path());
  proc.add(60, "new", "/", {"socket:[1]"});
  CHECK(table.find_owners(Inodes{1}).at(1) == 50);
  CHECK(fresh.find_owners(Inodes{1}).at(1) == 60);
}

TEST_CASE("a process in a container, and one that has ended, say nothing") {
  FakeProc proc;
  proc.add(70, "inside", "/work", {"socket:[1]"}, "mnt:[2]");
  const ProcessTable table(proc.path());
  CHECK_FALSE(table.find(70).has_value());
  CHECK_FALSE(table.find(71).has_value());
}

TEST_CASE("without a /proc nothing is found and nothing breaks") {
  ProcessTable table("/nowhere");
  CHECK(table.find_owners(Inodes{1}).empty());
  CHECK_FALSE(table.find(1).has_value());
}

TEST_CASE("a process in a git work tree has a project and a branch, and one elsewhere only its name") {
  const test::TempFolder folder;
  fs::create_directories(folder.path() / "api" / ".git");
  fs::create_directories(folder.path() / "api" / "src");
  std::ofstream(folder.path() / "api" / ".git" / "HEAD") << "ref: refs/heads/main\n";
  const call::Origin inside = origin_of({"node", folder.path() / "api" / "src"});
  CHECK(inside.process == "node");
  CHECK(inside.project == (folder.path() / "api").string());
  CHECK(inside.branch == "main");
  CHECK(origin_of({"node", "/proc"}) == call::Origin{"node", "", ""});
  CHECK(origin_of({"node", ""}) == call::Origin{"node", "", ""});
}

TEST_CASE("names that are no text become text, and paths that are too long are left out") {
  CHECK(origin_of({"a\xff\x01z", ""}).process == "a??z");
  CHECK(origin_of({"\xC3\xBC", ""}).process == "\xC3\xBC");
  CHECK(origin_of({std::string(2000, 'x'), ""}).process.empty());
}

}  // namespace nemo::test::process_table_test
