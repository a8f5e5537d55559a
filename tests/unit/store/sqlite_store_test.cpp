#include "daemon/store/sqlite_store.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/migrations.h"
#include "shared/version.h"
#include "store_fixture.h"

namespace nemo::test::sqlite_store_test {

using namespace nemo;
using lib::sqlite::Access;
using lib::sqlite::Connection;
using store::SqliteStore;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat now {};
  REQUIRE(::stat(path.c_str(), &now) == 0);
  return now.st_mode & 0777U;
}

// Runs as somebody who is not root while it lives: root may write everywhere.
class Nobody {
 public:
  Nobody() : m_was_root(::geteuid() == 0) {
    if (m_was_root && ::seteuid(k_nobody) != 0) throw std::runtime_error("cannot leave root");
  }
  ~Nobody() {
    if (m_was_root && ::seteuid(0) != 0) std::abort();
  }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;

 private:
  static constexpr uid_t k_nobody = 65534;
  bool m_was_root;
};

class Umask {
 public:
  explicit Umask(mode_t mask) : m_before(::umask(mask)) {}
  ~Umask() { ::umask(m_before); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t m_before;
};

std::string why_refused(const std::filesystem::path& folder) {
  const auto opened = SqliteStore::open(folder);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().kind == ErrorKind::storage);
  return opened.error().message;
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count_calls(SqliteStore& store) {
  ledger::CallFilter filter;
  filter.limit = 1'000'000;
  const auto found = store.call_history().find_calls(filter);
  REQUIRE(found.ok());
  return found->size();
}

}  // namespace

TEST_CASE("the folder is for its owner alone, and so is every file in it, whatever the umask") {
  const test::TempFolder folder;
  const test::StillClock clock;
  const Umask open_to_all(0);
  const auto data = folder.path() / "share" / "nemo";
  auto store = test::open_store(data, clock);
  store->request_log().append(test::make_call("req_1"));
  store->flush();
  CHECK(mode_of(data) == 0700);
  CHECK(mode_of(data / "nemo.db") == 0600);
  CHECK(mode_of(data / "nemo.db-wal") == 0600);
  CHECK(mode_of(data / "nemo.db-shm") == 0600);
}

TEST_CASE("a database that others may read is closed to them") {
  const test::TempFolder folder;
  const test::StillClock clock;
  test::open_store(folder.path(), clock);
  ::chmod((folder.path() / "nemo.db").c_str(), 0644);
  test::open_store(folder.path(), clock);
  CHECK(mode_of(folder.path() / "nemo.db") == 0600);
}

TEST_CASE("a folder that is there keeps its mode") {
  const test::TempFolder folder;
  const test::StillClock clock;
  ::chmod(folder.path().c_str(), 0755);
  test::open_store(folder.path() / "", clock);
  CHECK(mode_of(folder.path()) == 0755);
}

TEST_CASE("rows are there after the store has been closed and opened again") {
  const test::TempFolder folder;
  const test::StillClock clock;
  {
    auto store = test::open_store(folder.path(), clock);
    for (int i = 0; i < 100; ++i) store->request_log().append(test::make_call(std::to_string(i)));
  }
  auto store = test::open_store(folder.path(), clock);
  CHECK(count_calls(*store) == 100);
  CHECK(store->request_log().health().appended == 0);
}

TEST_CASE("rows that were written are there after the process was killed") {
  const test::TempFolder folder;
  const test::StillClock clock;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto opened = SqliteStore::open(folder.path(), {0, &clock});
    if (!opened.ok()) ::_exit(1);
    for (int i = 0; i < 500; ++i) (*opened)->request_log().append(test::make_call(std::to_string(i)));
    (*opened)->flush();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));

  auto store = test::open_store(folder.path(), clock);
  CHECK(count_calls(*store) == 500);
  store->request_log().append(test::make_call("after"));
  store->flush();
  CHECK(count_calls(*store) == 501);
}

TEST_CASE("a database of a newer Nemo is refused and stays as it is") {
  const test::TempFolder folder;
  const test::StillClock clock;
  test::open_store(folder.path(), clock);
  const auto file = folder.path() / "nemo.db";
  {
    Connection connection(file, Access::read_write);
    connection.exec("INSERT INTO schema_migration VALUES (9001, '9001_far_future', 0, '7.8.9')");
  }
  const std::string why = why_refused(folder.path());
  CHECK(mentions(why, "7.8.9"));
  CHECK(mentions(why, "9001_far_future"));
  CHECK(mentions(why, std::string(version())));
  CHECK(mentions(why, "Install Nemo 7.8.9 or newer"));

  Connection connection(file, Access::read_only);
  lib::sqlite::Statement rows(connection, "SELECT count(*) FROM schema_migration");
  REQUIRE(rows.step());
  CHECK(rows.integer(0) == static_cast<std::int64_t>(store::all_migrations().size()) + 1);
}

TEST_CASE("a file that is no database is refused with advice") {
  const test::TempFolder folder;
  std::ofstream(folder.path() / "nemo.db") << std::string(8192, '?');
  const std::string why = why_refused(folder.path());
  CHECK(mentions(why, (folder.path() / "nemo.db").string()));
  CHECK(mentions(why, "backup"));
}

TEST_CASE("a data folder that is a file is refused with its name") {
  const test::TempFolder folder;
  const auto file = folder.path() / "data";
  std::ofstream(file) << "hello";
  CHECK(mentions(why_refused(file), file.string()));
  CHECK(mentions(why_refused(file / "deeper"), "--data-dir"));
}

TEST_CASE("a data folder that cannot be created or written is refused with advice") {
  const test::TempFolder folder;
  ::chmod(folder.path().c_str(), 0755);
  const auto data = folder.path() / "data";
  SUBCASE("it may not be created") {
    const Nobody nobody;
    ::chmod(folder.path().c_str(), 0555);
    const std::string why = why_refused(data);
    ::chmod(folder.path().c_str(), 0755);
    CHECK(mentions(why, data.string()));
    CHECK(mentions(why, "Permission denied"));
  }
  SUBCASE("it is there and may not be written") {
    std::filesystem::create_directory(data);
    ::chmod(data.c_str(), 0555);
    const Nobody nobody;
    const std::string why = why_refused(data);
    CHECK(mentions(why, data.string()));
    CHECK(mentions(why, "Permission denied"));
  }
}

TEST_CASE("a database file that may not be written is refused with advice") {
  const test::TempFolder folder;
  ::chmod(folder.path().c_str(), 0777);
  const test::StillClock clock;
  test::open_store(folder.path(), clock);
  const auto file = folder.path() / "nemo.db";
  ::chmod(file.c_str(), 0444);
  if (::geteuid() != 0) return;  // the owner may give himself the right back, and the store does
  const Nobody nobody;
  const std::string why = why_refused(folder.path());
  CHECK(mentions(why, file.string()));
  CHECK(mentions(why, "user of nemod"));
}

}  // namespace nemo::test::sqlite_store_test
