#include "daemon/store/completion_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "daemon/store/completion_format.h"
#include "shared/log.h"
#include "shared/thread_name.h"

namespace nemo::store {
namespace {

namespace fs = std::filesystem;

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

}  // namespace

CompletionFile::CompletionFile(const fs::path& folder, const Clock& clock)
    : m_path(folder / "completions.recent"), m_clock(clock), m_thread([this] { run(); }) {}

CompletionFile::~CompletionFile() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_changed.notify_one();
  m_thread.join();
}

void CompletionFile::keep_for(std::chrono::milliseconds time) {
  {
    const std::lock_guard lock(m_mutex);
    m_time_changed = true;
    m_time = time;
    if (time.count() == 0) m_waiting.clear();
  }
  m_changed.notify_one();
}

void CompletionFile::save(std::shared_ptr<const completion::Remembered> remembered) {
  {
    const std::lock_guard lock(m_mutex);
    if (m_time.count() == 0 || m_waiting.size() == k_most_waiting) return;
    m_waiting.push_back(std::move(remembered));
  }
  m_changed.notify_one();
}

std::vector<completion::Remembered> CompletionFile::load(std::chrono::milliseconds time) {
  std::vector<completion::Remembered> records = read_records(read());
  const WallTime now = m_clock.wall();
  std::erase_if(records, [&](const auto& one) { return one.at < now - time || one.at > now; });
  return records;
}

void CompletionFile::run() {
  name_this_thread("nemo-remember");
  std::unique_lock lock(m_mutex);
  for (;;) {
    m_changed.wait(lock, [this] { return m_stop || m_time_changed || !m_waiting.empty(); });
    const Waiting waiting = std::exchange(m_waiting, {});
    const bool time_changed = std::exchange(m_time_changed, false);
    const std::chrono::milliseconds time = m_time;
    const bool stops = m_stop;
    lock.unlock();
    if (time_changed) rewrite(time, k_most_file_bytes);
    obey(waiting, time);
    lock.lock();
    if (stops && m_waiting.empty()) return;
  }
}

void CompletionFile::obey(const Waiting& waiting, std::chrono::milliseconds time) {
  if (waiting.empty() || time.count() == 0) return;
  std::string bytes;
  for (const auto& remembered : waiting) append_record(*remembered, bytes);
  if (m_size + bytes.size() > k_most_file_bytes) rewrite(time, k_most_file_bytes / 2);
  write(bytes);
}

void CompletionFile::write(std::string_view bytes) {
  if (!m_file.valid()) return;
  if (!write_all(m_file.get(), bytes)) {
    complain("written");
    m_file.reset();  // what would stand behind half a record could not be read
    return;
  }
  m_size += bytes.size();
}

// The newest that are not too old, in a new file in the old one's place.
void CompletionFile::rewrite(std::chrono::milliseconds time, std::size_t most_bytes) {
  m_file.reset();
  m_size = 0;
  if (time.count() == 0) {
    std::error_code ignored;  // it may not be there
    fs::remove(m_path, ignored);
    return;
  }
  std::vector<std::string> kept;
  std::size_t size = k_completions_magic.size();
  const auto records = load(time);
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    std::string bytes;
    append_record(*record, bytes);
    if (size + bytes.size() > most_bytes) break;
    size += bytes.size();
    kept.push_back(std::move(bytes));
  }
  std::string all(k_completions_magic);
  for (auto bytes = kept.rbegin(); bytes != kept.rend(); ++bytes) all.append(*bytes);
  const fs::path next = fs::path(m_path).concat(".new");
  std::error_code failed;
  fs::remove(next, failed);
  m_file = FileDescriptor(
      ::open(next.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW, k_private_file));
  if (!m_file.valid() || !write_all(m_file.get(), all)) {
    complain("made");
    m_file.reset();
    return;
  }
  fs::rename(next, m_path, failed);
  if (failed) {
    complain("renamed");
    m_file.reset();
    return;
  }
  m_size = all.size();
}

std::string CompletionFile::read() const {
  std::string bytes;
  const FileDescriptor file(::open(m_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return bytes;
  constexpr std::size_t k_step = std::size_t{256} << 10U;
  for (;;) {
    const std::size_t had = bytes.size();
    if (had > 2 * k_most_file_bytes) return {};  // not ours
    bytes.resize(had + k_step);
    const ssize_t got = ::read(file.get(), bytes.data() + had, k_step);
    bytes.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got <= 0) return bytes;
  }
}

void CompletionFile::complain(const char* what) {
  if (std::exchange(m_has_complained, true)) return;
  log::warn(m_path.string() + " cannot be " + what + ": " + std::error_code(errno, std::generic_category()).message() +
            ". Completions are remembered until nemod stops, and not beyond.");
}

}  // namespace nemo::store
