#include "daemon/store/completion_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "daemon/store/completion_format.h"
#include "fake_clock.h"
#include "temp_folder.h"

namespace nemo::test::completion_file_test {

using namespace nemo;
using namespace nemo::store;
using namespace nemo::test;

namespace {

constexpr std::chrono::minutes k_kept(10);

struct Desk {
  TempFolder folder;
  FakeClock clock;

  std::filesystem::path path() const { return folder.path() / "completions.recent"; }
  std::shared_ptr<completion::Remembered> remembered(const std::string& prefix) const {
    auto made = std::make_shared<completion::Remembered>();
    made->asked = {"ann", "model=m\nmax_tokens:5", prefix, "\n}", true, true};
    made->answer = std::string("an \0answer", 10);
    made->ending = completion::Ending::by_length;
    made->model = "m";
    made->at = clock.wall();
    return made;
  }
  std::vector<std::string> prefixes(std::chrono::milliseconds time = k_kept) const {
    std::vector<std::string> found;
    for (const auto& one : CompletionFile(folder.path(), clock).load(time)) found.push_back(one.asked.prefix);
    return found;
  }
};

}  // namespace

TEST_CASE("what was saved is there for the next run, in order and to the last byte") {
  Desk desk;
  {
    CompletionFile file(desk.folder.path(), desk.clock);
    file.keep_for(k_kept);
    file.save(desk.remembered("one"));
    file.save(desk.remembered("two"));
  }
  CompletionFile file(desk.folder.path(), desk.clock);
  const auto loaded = file.load(k_kept);
  REQUIRE(loaded.size() == 2);
  const auto wanted = desk.remembered("one");
  CHECK(loaded[0].asked.seat == wanted->asked.seat);
  CHECK(loaded[0].asked.terms == wanted->asked.terms);
  CHECK(loaded[0].asked.prefix == "one");
  CHECK(loaded[0].asked.suffix == wanted->asked.suffix);
  CHECK(loaded[0].answer == wanted->answer);
  CHECK(loaded[0].ending == completion::Ending::by_length);
  CHECK(loaded[0].model == "m");
  CHECK(loaded[0].at == wanted->at);
  CHECK(loaded[1].asked.prefix == "two");
  struct stat state {};
  REQUIRE(::stat(desk.path().c_str(), &state) == 0);
  CHECK((state.st_mode & 0777) == 0600);
}

TEST_CASE("what is too old does not come back, and is off the disk") {
  Desk desk;
  {
    CompletionFile file(desk.folder.path(), desk.clock);
    file.keep_for(k_kept);
    file.save(desk.remembered("old secret"));
  }
  desk.clock.advance(k_kept + std::chrono::seconds(1));
  CHECK(desk.prefixes().empty());
  { CompletionFile(desk.folder.path(), desk.clock).keep_for(k_kept); }
  std::ifstream file(desk.path(), std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  CHECK(all == k_completions_magic);
}

TEST_CASE("where nothing is to be kept nothing is written, and what was there is removed") {
  Desk desk;
  {
    CompletionFile file(desk.folder.path(), desk.clock);
    file.save(desk.remembered("before anybody allowed it"));
  }
  CHECK_FALSE(std::filesystem::exists(desk.path()));
  {
    CompletionFile file(desk.folder.path(), desk.clock);
    file.keep_for(k_kept);
    file.save(desk.remembered("one"));
  }
  CHECK(desk.prefixes() == std::vector<std::string>{"one"});
  {
    CompletionFile file(desk.folder.path(), desk.clock);
    file.keep_for(std::chrono::milliseconds(0));
    file.save(desk.remembered("two"));
  }
  CHECK_FALSE(std::filesystem::exists(desk.path()));
}

TEST_CASE("a file that is torn or damaged gives what stands before the damage") {
  Desk desk;
  std::string bytes(k_completions_magic);
  append_record(*desk.remembered("one"), bytes);
  const std::size_t first = bytes.size();
  append_record(*desk.remembered("two"), bytes);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const std::size_t whole = size == bytes.size() ? 2 : size >= first ? 1 : 0;
    CHECK(read_records(bytes.substr(0, size)).size() == whole);
  }
  for (std::size_t at = 0; at < first; ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    CHECK(read_records(damaged).empty());
  }
}

TEST_CASE("a file that has grown large loses its older half") {
  Desk desk;
  const std::string prompt(400'000, 'x');
  // Less than half a file at a time: it may be written at once.
  constexpr int k_records_of_a_run = 9;
  constexpr int k_records = 4 * k_records_of_a_run;  // 14 MB
  for (int i = 0; i < k_records; i += k_records_of_a_run) {
    CompletionFile file(desk.folder.path(), desk.clock);
    file.keep_for(k_kept);
    for (int k = 0; k < k_records_of_a_run; ++k) file.save(desk.remembered(prompt + std::to_string(i + k)));
  }
  CHECK(std::filesystem::file_size(desk.path()) <= CompletionFile::k_most_file_bytes);
  const auto prefixes = desk.prefixes();
  REQUIRE(prefixes.size() > 5);
  CHECK(prefixes.back() == prompt + std::to_string(k_records - 1));
}

TEST_CASE("a place where no file can be made costs nothing but the memory of it") {
  Desk desk;
  CompletionFile file(desk.folder.path() / "missing", desk.clock);
  file.keep_for(k_kept);
  file.save(desk.remembered("one"));
  CHECK(file.load(k_kept).empty());
}

}  // namespace nemo::test::completion_file_test
