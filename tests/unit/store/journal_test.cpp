#include "daemon/store/journal.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "daemon/store/journal_format.h"
#include "store_fixture.h"

namespace nemo::test::journal_test {

using namespace nemo;
using store::Journal;
using store::JournalReader;

namespace {

std::vector<call::CallRecord> records_in(std::string_view bytes) {
  std::vector<call::CallRecord> records;
  JournalReader reader(bytes);
  while (auto record = reader.next()) records.push_back(std::move(*record));
  return records;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::string why;
  const auto bytes = store::read_journal_file(path, why);
  REQUIRE(bytes.has_value());
  return *bytes;
}

std::vector<std::uint32_t> generations_in(const std::filesystem::path& folder) {
  std::vector<std::uint32_t> generations;
  for (const auto& file : store::find_journal_files(folder)) generations.push_back(file.generation);
  return generations;
}

// A record as Nemo wrote it before calls were routed.
constexpr std::string_view k_first_format_hex =
    "63010000f9fe495cfed424b1010e7265715f6f6c648089f888c5b4b0060a6b65795f3108616e6e6108636f7265246f70656e6169"
    "2d636f6d706c6574696f6e7314636f6d706c6574696f6e126e656d6f2f6175746f2067656d696e692d322e352d666c6173681276"
    "65727465782d65753467656d696e692d322e352d666c617368407665727465782d65751263616e63656c6c6564e60716636c6965"
    "6e745f676f6e65028eda960102b0e70205d00fa0069003ac020e7061727469616ce2a2f3ad07eaf0e0fd5ba814d6c4020a1c6765"
    "6d696e692d322e352d70726f0c6279706173730418666c6173682d6f722d70726f0262124f70656e41492f4a530408636f646500"
    "1e6c616e6520636f6d706c6574696f6e0404643118636f6f6c696e6720646f776e00046432146c65617374206275737902040464"
    "31086e656d6f1c757073747265616d5f6572726f721469742073616964206e6fee071428046432127665727465782d6575000090"
    "033c50";

// And as Nemo wrote it before it knew whose work a call was.
constexpr std::string_view k_second_format_hex =
    "1b010000b3e0cd65e2173cdd020e7265715f74776f80c0f995e0a2b0060a6b65795f3108616e6e6108636f7265166f70656e6169"
    "2d6368617412726561736f6e696e67126e656d6f2f6175746f1c67656d696e692d322e352d70726f127665727465782d65753067"
    "656d696e692d322e352d70726f407665727465782d6575046f6b900300028eda960102b0e7028205d00fa0069003ac021070726f"
    "7669646572d80404e2a2f3ad07eaf0e0fd5ba814d6c4020a00086d6973730218666c6173682d6f722d70726f0262124f70656e41"
    "492f4a530408636f6465001c6c616e6520726561736f6e696e6702046431146c65617374206275737902163220696e20666c6967"
    "687402046431086e656d6f0000900314280e0a6865646765146c656173742d62757379";

// And as Nemo wrote it before it measured suggestions.
constexpr std::string_view k_third_format_hex =
    "340100003dda4c17ca0bd38a030e7265715f74726980c0f995e0a2b0060a6b65795f3108616e6e6108636f7265166f70656e6169"
    "2d6368617412726561736f6e696e67126e656d6f2f6175746f1c67656d696e692d322e352d70726f127665727465782d65753067"
    "656d696e692d322e352d70726f407665727465782d6575046f6b900300028eda960102b0e7028205d00fa0069003ac021070726f"
    "7669646572d80404e2a2f3ad07eaf0e0fd5ba814d6c4020a00086d6973730218666c6173682d6f722d70726f0262124f70656e41"
    "492f4a530408636f646500086e6f64651c2f686f6d652f616e6e612f617069086d61696e1c6c616e6520726561736f6e696e6702"
    "046431146c65617374206275737902163220696e20666c6967687402046431086e656d6f0000900314280e0a6865646765146c65"
    "6173742d62757379";

std::string bytes_of_hex(std::string_view hex) {
  std::string bytes;
  for (; hex.size() >= 2; hex.remove_prefix(2))
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(0, 2)), nullptr, 16)));
  return bytes;
}

using Generations = std::vector<std::uint32_t>;

// Every file that this process writes ends at so many bytes while it lives: a disk that is full.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : m_handler(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &m_before);
    const rlimit limit{bytes, m_before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &m_before);
    std::signal(SIGXFSZ, m_handler);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit m_before{};
  void (*m_handler)(int);
};

}  // namespace

TEST_CASE("bytes of a journal that are cut anywhere give the whole records before the cut and nothing else") {
  std::mt19937 random(20261122);
  std::string bytes;
  std::vector<std::size_t> ends;
  for (int i = 0; i < 4; ++i) {
    bytes += store::to_journal_bytes(test::make_random_call(random, i));
    ends.push_back(bytes.size());
  }
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const auto whole =
        static_cast<std::size_t>(std::count_if(ends.begin(), ends.end(), [&](std::size_t end) { return end <= size; }));
    const auto records = records_in(std::string_view(bytes).substr(0, size));
    REQUIRE(records.size() == whole);
    for (std::size_t i = 0; i < whole; ++i) CHECK(records[i].id == "req_" + std::to_string(i));
  }
}

TEST_CASE("a record of the format before this one is read, and what it did not know is empty") {
  const std::string old = bytes_of_hex(k_first_format_hex);
  const auto records = records_in(old + store::to_journal_bytes(test::make_call("req_new")) + old);
  REQUIRE(records.size() == 3);
  CHECK(records[1].id == "req_new");
  const call::CallRecord& record = records[2];
  CHECK(record.id == "req_old");
  CHECK(record.surface == call::Surface::openai_completions);
  CHECK(record.deployment == "gemini-2.5-flash@vertex-eu");
  CHECK(record.outcome == call::Outcome::cancelled);
  CHECK(record.latency == Micros(1'234'567));
  CHECK(record.ttft == Micros(23'000));
  CHECK(record.usage == call::Usage{1000, 400, 200, 150, call::UsageSource::partial});
  CHECK(record.cost == NanoUsd{987'654'321});
  CHECK(record.lease_day == 20'779);
  CHECK(record.drawn_from == 5);
  CHECK(record.budget_fallback == "gemini-2.5-pro");
  CHECK(record.experiment == "flash-or-pro");
  CHECK(record.tags == std::vector<std::string>{"code", ""});
  CHECK_FALSE(record.accepted.has_value());
  CHECK(record.trace.model_reason == "lane completion");
  CHECK(record.trace.strategy.empty());
  REQUIRE(record.trace.candidates.size() == 2);
  CHECK(record.trace.candidates[1].eligible);
  CHECK(record.trace.candidates[1].figures.empty());
  REQUIRE(record.trace.attempts.size() == 2);
  CHECK(record.trace.attempts[0].error == "it said no");
  CHECK(record.trace.attempts[1].took_us == 40);
  CHECK(record.trace.attempts[1].cost == NanoUsd{0});
  CHECK(record.trace.attempts[1].note.empty());
}

TEST_CASE("a record of the second format has all that it had, and no origin") {
  const std::string old = bytes_of_hex(k_second_format_hex);
  call::CallRecord now = test::make_call("req_new");
  now.origin = {"node", "/home/anna/api", "main"};
  const auto records = records_in(old + store::to_journal_bytes(now) + old + bytes_of_hex(k_first_format_hex));
  REQUIRE(records.size() == 4);
  CHECK(records[1].origin == now.origin);
  const call::CallRecord& record = records[2];
  CHECK(record.id == "req_two");
  CHECK(record.usage == call::Usage{1000, 400, 200, 150, call::UsageSource::provider, 300});
  CHECK(record.accepted == true);
  CHECK(record.client == "OpenAI/JS");
  CHECK(record.tags == std::vector<std::string>{"code", ""});
  CHECK(record.origin == call::Origin{});
  CHECK(record.trace.strategy == "least-busy");
  REQUIRE(record.trace.candidates.size() == 1);
  CHECK(record.trace.candidates[0].figures == "2 in flight");
  REQUIRE(record.trace.attempts.size() == 1);
  CHECK(record.trace.attempts[0].note == "hedge");
}

TEST_CASE("a record of the third format has all that it had, and nothing of how much was suggested") {
  call::CallRecord now = test::make_call("req_new");
  now.suggested_bytes = 120;
  now.accepted_bytes = 40;
  const std::string old = bytes_of_hex(k_third_format_hex);
  const auto records = records_in(old + store::to_journal_bytes(now) + old);
  REQUIRE(records.size() == 3);
  CHECK(records[1].suggested_bytes == 120);
  CHECK(records[1].accepted_bytes == 40);
  const call::CallRecord& record = records[2];
  CHECK(record.id == "req_tri");
  CHECK(record.accepted == true);
  CHECK(record.origin == call::Origin{"node", "/home/anna/api", "main"});
  CHECK(record.suggested_bytes == 0);
  CHECK(record.accepted_bytes == 0);
  CHECK(record.trace.strategy == "least-busy");
  REQUIRE(record.trace.attempts.size() == 1);
  CHECK(record.trace.attempts[0].note == "hedge");
}

TEST_CASE("what the Nemo before this one left in a journal is in the ledger after the update") {
  const test::TempFolder folder;
  const test::StillClock clock;
  std::ofstream(folder.path() / "nemo.journal.3", std::ios::binary) << bytes_of_hex(k_first_format_hex);
  const auto store = test::open_store(folder.path(), clock);
  const auto found = store->call_history().find_call("req_old");
  REQUIRE(found.ok());
  REQUIRE(found->has_value());
  CHECK((*found)->cost == NanoUsd{987'654'321});
  CHECK((*found)->trace.attempts.size() == 2);
  CHECK_FALSE((*found)->accepted.has_value());
  CHECK(generations_in(folder.path()) == Generations{4});
}

TEST_CASE("a record of a format that only a newer Nemo knows ends the reading, and so does one of none") {
  for (const char format : {'\0', '\5', '\xff'}) {
    std::string bytes = store::to_journal_bytes(test::make_call("req_0"));
    bytes[store::k_journal_head_bytes] = format;
    store::seal_journal_record(bytes);
    CHECK(records_in(bytes).empty());
    bytes[store::k_journal_head_bytes] = 4;
    store::seal_journal_record(bytes);
    CHECK(records_in(bytes).size() == 1);
  }
}

TEST_CASE("whether a completion was taken comes out of a journal as it went in: yes, no or not known") {
  for (const std::optional<bool> accepted : {std::optional<bool>(), std::optional(true), std::optional(false)}) {
    call::CallRecord record = test::make_call("req_0");
    record.accepted = accepted;
    const auto records = records_in(store::to_journal_bytes(record));
    REQUIRE(records.size() == 1);
    CHECK(records[0].accepted == accepted);
  }
}

TEST_CASE("a byte that has changed ends the reading at its record") {
  const std::string one = store::to_journal_bytes(test::make_call("req_0"));
  const std::string bytes = one + store::to_journal_bytes(test::make_call("req_1"));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int bit : {0, 4, 7}) {
      std::string rotten = bytes;
      rotten[at] = static_cast<char>(rotten[at] ^ (1 << bit));
      CHECK(records_in(rotten).size() == (at < one.size() ? 0U : 1U));
    }
  }
}

TEST_CASE("bytes at random are no records, and neither are zeros") {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    // A length that could be one.
    if (bytes.size() > 4) bytes[2] = bytes[3] = 0;
    CHECK(records_in(bytes).empty());
  }
  CHECK(records_in(std::string(4096, '\0')).empty());
}

TEST_CASE("texts and lists of any length make a record of bounded length that can be read") {
  const std::string long_text(4 * store::k_longest_journal_text, 'x');
  constexpr std::size_t k_many = 4 * store::k_longest_journal_list;
  call::CallRecord record = test::make_call("req_long");
  record.requested_model = long_text;
  record.client = long_text;
  record.origin = {long_text, long_text, long_text};
  record.tags.assign(k_many, long_text);
  record.trace.model_reason = long_text;
  record.trace.strategy = long_text;
  record.trace.candidates.assign(k_many, {long_text, long_text, true, long_text});
  record.trace.attempts.assign(k_many, {long_text, long_text, 503, long_text, long_text, 1, 2, NanoUsd{3}, long_text});
  const std::string bytes = store::to_journal_bytes(record);
  CHECK(bytes.size() <= store::k_longest_journal_record);
  const auto read = records_in(bytes);
  REQUIRE(read.size() == 1);
  CHECK(read[0].requested_model == long_text.substr(0, store::k_longest_journal_text));
  CHECK(read[0].trace.candidates.size() == store::k_longest_journal_list);
  CHECK(read[0].cost == record.cost);
}

TEST_CASE("a journal file is its owner's, and gone when nobody needs it") {
  const test::TempFolder folder;
  {
    Journal journal(folder.path(), 0);
    CHECK(generations_in(folder.path()) == Generations{1});
    struct stat now {};
    REQUIRE(::stat((folder.path() / "nemo.journal.1").c_str(), &now) == 0);
    CHECK((now.st_mode & 0777U) == 0600);
    CHECK(journal.write(test::make_call("a")) == 1);
    journal.forget(1, 1);
  }
  CHECK(generations_in(folder.path()).empty());
}

TEST_CASE("a full file is followed by another, and stays until all of its rows are written") {
  const test::TempFolder folder;
  {
    Journal journal(folder.path(), 6, 1000);
    int rows = 0;
    for (; bytes_of(folder.path() / "nemo.journal.7").size() < 1000; ++rows)
      CHECK(journal.write(test::make_call(std::to_string(rows))) == 7);
    journal.tidy();
    CHECK(journal.write(test::make_call("next")) == 8);
    CHECK(generations_in(folder.path()) == Generations{7, 8});
    journal.forget(7, static_cast<std::uint64_t>(rows) - 1);
    journal.tidy();
    CHECK(generations_in(folder.path()) == Generations{7, 8});
    journal.forget(7, 1);
    journal.tidy();
    CHECK(generations_in(folder.path()) == Generations{8});
    journal.forget(99, 1);  // nobody's
  }
  CHECK(generations_in(folder.path()) == Generations{8});
}

TEST_CASE("a write that fails is told, spoils no other file, and is over when there is space again") {
  const test::TempFolder folder;
  Journal journal(folder.path(), 0);
  REQUIRE(journal.write(test::make_call("a")) == 1);
  const std::size_t one = bytes_of(folder.path() / "nemo.journal.1").size();
  {
    const FileSizeLimit full(one + one / 2);
    CHECK(journal.write(test::make_call("b")) == 0);
    CHECK(journal.last_error().find("nemo.journal.1") != std::string::npos);
    // Behind half a record nothing could be read.
    CHECK(journal.write(test::make_call("c")) == 0);
  }
  CHECK(journal.write(test::make_call("d")) == 0);
  journal.tidy();
  CHECK_FALSE(journal.last_error().empty());
  CHECK(journal.write(test::make_call("e")) == 2);
  CHECK(journal.last_error().empty());
  CHECK(records_in(bytes_of(folder.path() / "nemo.journal.1")).size() == 1);
  journal.forget(1, 1);
  journal.tidy();
  CHECK(generations_in(folder.path()) == Generations{2});
}

TEST_CASE("a folder that takes no files leaves calls alone and says so") {
  const test::TempFolder folder;
  Journal journal(folder.path() / "nowhere", 0);
  CHECK(journal.write(test::make_call("a")) == 0);
  CHECK(journal.last_error().find("nowhere") != std::string::npos);
  std::filesystem::create_directory(folder.path() / "nowhere");
  journal.tidy();
  CHECK(journal.write(test::make_call("b")) != 0);
  CHECK(journal.last_error().empty());
}

TEST_CASE("what many threads write at once can all be read") {
  const test::TempFolder folder;
  constexpr int k_threads = 8;
  constexpr int k_each = 500;
  Journal journal(folder.path(), 0, 20'000);
  std::vector<std::thread> threads;
  for (int t = 0; t < k_threads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < k_each; ++i) {
        CHECK(journal.write(test::make_call(std::to_string(t * k_each + i))) != 0);
        if (t == 0) journal.tidy();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<bool> seen(k_threads * k_each);
  for (const auto& file : store::find_journal_files(folder.path())) {
    for (const auto& record : records_in(bytes_of(file.path))) seen.at(std::stoul(record.id)) = true;
  }
  CHECK(std::count(seen.begin(), seen.end(), true) == k_threads * k_each);
  CHECK(generations_in(folder.path()).size() > 3);
}

TEST_CASE("other files in the folder are no journals") {
  const test::TempFolder folder;
  for (const char* name : {"nemo.journal.", "nemo.journal.x", "nemo.journal.1x", "nemo.journal.-1", "nemo.journal.0",
                           "nemo.journal.99999999999", "nemo.journal", "xnemo.journal.1", "nemo.journal.12"})
    std::ofstream(folder.path() / name) << "hello";
  CHECK(generations_in(folder.path()) == Generations{12});
}

}  // namespace nemo::test::journal_test
