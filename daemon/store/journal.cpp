#include "daemon/store/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include "daemon/store/journal_format.h"

namespace nemo::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_prefix = "nemo.journal.";

std::optional<std::uint32_t> generation_of(const std::string& file_name) {
  if (!file_name.starts_with(k_prefix)) return std::nullopt;
  const char* first = file_name.data() + k_prefix.size();
  const char* last = file_name.data() + file_name.size();
  std::uint32_t number = 0;
  const auto [end, reason] = std::from_chars(first, last, number);
  if (reason != std::errc() || end != last || number == 0) return std::nullopt;
  return number;
}

std::string message_of(int reason) {
  return std::error_code(reason, std::generic_category()).message();
}

}  // namespace

std::vector<JournalFile> find_journal_files(const fs::path& folder) {
  std::vector<JournalFile> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (const auto generation = generation_of(entry.path().filename().string()))
      files.push_back({entry.path(), *generation});
  }
  std::sort(files.begin(), files.end(),
            [](const JournalFile& a, const JournalFile& b) { return a.generation < b.generation; });
  return files;
}

std::optional<std::string> read_journal_file(const fs::path& path, std::string& why) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string bytes;
  ssize_t got = file.valid() ? 1 : -1;
  while (got > 0) {
    constexpr std::size_t k_step = 256 * 1024;
    const std::size_t size = bytes.size();
    bytes.resize(size + k_step);
    do {
      got = ::read(file.get(), bytes.data() + size, k_step);
    } while (got < 0 && errno == EINTR);
    bytes.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  if (got == 0) return bytes;
  why = "cannot read " + path.string() + ": " + message_of(errno);
  return std::nullopt;
}

Journal::Journal(fs::path folder, std::uint32_t last, std::uint64_t bytes_each)
    : m_folder(std::move(folder)), m_bytes_each(bytes_each), m_last(last) {
  begin_generation();
}

Journal::~Journal() {
  for (const Shared& generation : take_unneeded(true)) ::unlink(generation->path.c_str());
}

std::uint32_t Journal::write(const call::CallRecord& record) {
  const std::string bytes = to_journal_bytes(record);
  const Shared generation = begin_row(bytes.size());
  if (!generation) return 0;
  ssize_t written = 0;
  do {
    written = ::write(generation->file.get(), bytes.data(), bytes.size());
  } while (written < 0 && errno == EINTR);
  if (written != static_cast<ssize_t>(bytes.size())) {
    fail_row(*generation, written < 0 ? errno : ENOSPC);
    return 0;
  }
  if (m_has_error.load(std::memory_order_relaxed)) {
    const std::lock_guard lock(m_mutex);
    set_error({});
  }
  return generation->number;
}

Journal::Shared Journal::begin_row(std::size_t bytes) {
  const std::lock_guard lock(m_mutex);
  if (!m_present || m_present->failed) return nullptr;
  m_present->bytes += bytes;
  ++m_present->rows;
  return m_present;
}

void Journal::fail_row(Generation& generation, int reason) {
  std::string message = "cannot write " + generation.path.string() + ": " + message_of(reason) +
                        ". Calls go on; those whose row is not in the database yet are lost if nemod dies.";
  const std::lock_guard lock(m_mutex);
  --generation.rows;
  generation.failed = true;
  set_error(std::move(message));
}

void Journal::set_error(std::string message) {
  m_has_error = !message.empty();
  m_last_error = std::move(message);
}

void Journal::forget(std::uint32_t generation, std::uint64_t rows) {
  const std::lock_guard lock(m_mutex);
  for (const Shared& one : m_generations) {
    if (one->number == generation) one->rows -= std::min(one->rows, rows);
  }
}

std::string Journal::last_error() const {
  const std::lock_guard lock(m_mutex);
  return m_last_error;
}

bool Journal::needs_another() const {
  const std::lock_guard lock(m_mutex);
  return !m_present || m_present->failed || m_present->bytes >= m_bytes_each;
}

void Journal::tidy() {
  if (needs_another()) begin_generation();
  for (const Shared& generation : take_unneeded(false)) ::unlink(generation->path.c_str());
}

void Journal::begin_generation() {
  auto begun = std::make_shared<Generation>();
  begun->number = ++m_last == 0 ? ++m_last : m_last;
  begun->path = m_folder / (std::string(k_prefix) + std::to_string(begun->number));
  begun->file = FileDescriptor(
      ::open(begun->path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW, k_private_file));
  const int reason = errno;
  const std::lock_guard lock(m_mutex);
  if (!begun->file.valid()) {
    set_error("cannot create " + begun->path.string() + ": " + message_of(reason));
    return;
  }
  m_generations.push_back(begun);
  m_present = std::move(begun);
}

std::vector<Journal::Shared> Journal::take_unneeded(bool with_present) {
  std::vector<Shared> unneeded;
  const std::lock_guard lock(m_mutex);
  std::erase_if(m_generations, [&](const Shared& one) {
    if (one->rows > 0 || (one == m_present && !with_present)) return false;
    unneeded.push_back(one);
    return true;
  });
  return unneeded;
}

}  // namespace nemo::store
