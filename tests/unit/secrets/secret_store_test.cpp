#include "daemon/secrets/secret_store.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "temp_folder.h"

namespace nemo::test::secret_store_test {

using namespace nemo;
using secrets::SecretStore;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat now {};
  REQUIRE(::stat(path.c_str(), &now) == 0);
  return now.st_mode & 0777U;
}

std::string load(const SecretStore& store, const std::string& name) {
  const auto secret = store.load(name);
  REQUIRE(secret.ok());
  REQUIRE(secret->has_value());
  return std::string((*secret)->expose());
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

class Umask {
 public:
  explicit Umask(mode_t mask) : m_before(::umask(mask)) {}
  ~Umask() { ::umask(m_before); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t m_before;
};

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("a secret is loaded as it was saved, byte for byte") {
  const test::TempFolder folder;
  SecretStore store(folder.path() / "secrets");
  const std::string odd("sk-1\n\0 \xff ", 9);
  REQUIRE(store.save("nemo", Secret(odd)).ok());
  CHECK(load(store, "nemo") == odd);
  REQUIRE(store.save("nemo", Secret("shorter")).ok());
  CHECK(load(store, "nemo") == "shorter");
}

TEST_CASE("a secret that nobody saved is absent, not an error") {
  const test::TempFolder folder;
  SecretStore store(folder.path() / "secrets");
  auto secret = store.load("nemo");
  REQUIRE(secret.ok());
  CHECK_FALSE(secret->has_value());
  REQUIRE(store.save("other", Secret("x")).ok());
  secret = store.load("nemo");
  REQUIRE(secret.ok());
  CHECK_FALSE(secret->has_value());
}

TEST_CASE("only the owner may read a secret, whatever the umask") {
  for (const mode_t mask : {0, 0022, 0077, 0777}) {
    const test::TempFolder folder;
    const auto place = folder.path() / "secrets";
    {
      const Umask masked(mask);
      REQUIRE(SecretStore(place).save("nemo", Secret("sk-secret")).ok());
    }
    CHECK(mode_of(place) == 0700);
    CHECK(mode_of(place / "nemo") == 0600);
  }
}

TEST_CASE("saving closes a folder and a file that were open to others") {
  const test::TempFolder folder;
  const auto place = folder.path() / "secrets";
  std::filesystem::create_directory(place);
  write_file(place / "nemo", "old");
  ::chmod(place.c_str(), 0755);
  ::chmod((place / "nemo").c_str(), 0644);
  REQUIRE(SecretStore(place).save("nemo", Secret("new")).ok());
  CHECK(mode_of(place) == 0700);
  CHECK(mode_of(place / "nemo") == 0600);
}

TEST_CASE("saving leaves nothing beside the secret, also when it fails") {
  const test::TempFolder folder;
  const auto place = folder.path() / "secrets";
  SecretStore store(place);
  REQUIRE(store.save("nemo", Secret("one")).ok());
  REQUIRE(store.save("nemo", Secret("two")).ok());
  CHECK(names_in(place) == std::vector<std::string>{"nemo"});

  // A folder stands where the secret would go, so that the rename fails at the very end.
  std::filesystem::create_directory(place / "taken");
  const Status saved = store.save("taken", Secret("three"));
  REQUIRE_FALSE(saved.ok());
  CHECK(saved.error().kind == ErrorKind::storage);
  CHECK(saved.error().message.find("three") == std::string::npos);
  CHECK(names_in(place) == std::vector<std::string>{"nemo", "taken"});
}

TEST_CASE("whoever reads while another saves gets the old or the new secret, never a part") {
  const test::TempFolder folder;
  SecretStore store(folder.path() / "secrets");
  const std::string a(5000, 'a');
  const std::string b(9000, 'b');
  REQUIRE(store.save("nemo", Secret(a)).ok());
  std::thread writer([&] {
    for (int i = 0; i < 50; ++i) (void)store.save("nemo", Secret(i % 2 == 0 ? b : a));
  });
  std::vector<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const auto secret = store.load("nemo");
    seen.emplace_back(secret.ok() && secret->has_value() ? (*secret)->expose() : "missing");
  }
  writer.join();
  CHECK(std::all_of(seen.begin(), seen.end(), [&](const std::string& text) { return text == a || text == b; }));
}

TEST_CASE("a removed secret is gone, and removing it again is no error") {
  const test::TempFolder folder;
  SecretStore store(folder.path() / "secrets");
  CHECK(store.remove("nemo").ok());
  REQUIRE(store.save("nemo", Secret("x")).ok());
  CHECK(store.remove("nemo").ok());
  CHECK_FALSE(store.load("nemo")->has_value());
  CHECK(store.remove("nemo").ok());
}

TEST_CASE("a name that could lead out of the folder, or is no name, is refused") {
  const test::TempFolder folder;
  const auto place = folder.path() / "secrets";
  SecretStore store(place);
  write_file(folder.path() / "outside", "untouched");
  const std::string too_long(65, 'a');
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("../outside"), std::string("a/b"),
        std::string("/etc/passwd"), std::string("Nemo"), std::string("a b"), std::string("a\0b", 3),
        std::string("~nemo"), std::string("ä"), too_long}) {
    CAPTURE(name);
    const Status saved = store.save(name, Secret("x"));
    REQUIRE_FALSE(saved.ok());
    CHECK(saved.error().kind == ErrorKind::invalid_request);
    CHECK_FALSE(store.load(name).ok());
    CHECK_FALSE(store.remove(name).ok());
  }
  CHECK_FALSE(std::filesystem::exists(place));
  CHECK(std::filesystem::exists(folder.path() / "outside"));
  const std::string longest(64, 'a');
  CHECK(store.save(longest, Secret("x")).ok());
  CHECK(store.save("a-b_c.9", Secret("y")).ok());
  CHECK(load(store, longest) == "x");
}

TEST_CASE("a place that is no folder is refused and left alone") {
  const test::TempFolder folder;
  const auto place = folder.path() / "secrets";
  write_file(place, "a file");
  ::chmod(place.c_str(), 0644);
  SecretStore store(place);
  const Status saved = store.save("nemo", Secret("x"));
  REQUIRE_FALSE(saved.ok());
  CHECK(saved.error().kind == ErrorKind::storage);
  CHECK(saved.error().message.find(place.string()) != std::string::npos);
  CHECK(mode_of(place) == 0644);
}

TEST_CASE("a secret of more than 64 KiB is refused") {
  const test::TempFolder folder;
  SecretStore store(folder.path() / "secrets");
  CHECK(store.save("nemo", Secret(std::string(64 * 1024, 'x'))).ok());
  CHECK(load(store, "nemo").size() == 64 * 1024);
  CHECK_FALSE(store.save("nemo", Secret(std::string(64 * 1024 + 1, 'x'))).ok());
}

TEST_CASE("a secret in a file of the user's own loses the white space at its end, and no other") {
  const test::TempFolder folder;
  const auto file = folder.path() / "key";
  write_file(file, " sk-abc def\r\n\t\n ");
  const auto secret = secrets::load_secret_file(file);
  REQUIRE(secret.ok());
  CHECK(secret->expose() == " sk-abc def");
}

TEST_CASE("a secret file that is missing, empty or huge is refused by its name") {
  const test::TempFolder folder;
  const auto missing = folder.path() / "missing";
  const auto empty = folder.path() / "empty";
  const auto huge = folder.path() / "huge";
  write_file(empty, " \n");
  write_file(huge, std::string(64 * 1024 + 1, 'x'));
  for (const auto& file : {missing, empty, huge, folder.path()}) {
    CAPTURE(file.string());
    const auto secret = secrets::load_secret_file(file);
    REQUIRE_FALSE(secret.ok());
    CHECK(secret.error().kind == ErrorKind::storage);
    CHECK(secret.error().message.find(file.string()) != std::string::npos);
  }
}

}  // namespace nemo::test::secret_store_test
