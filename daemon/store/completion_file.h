// Where answered completions rest between two runs: the file completions.recent in the data folder, 0600. It holds
// prompts and answers in clear, those of the last minutes only ([lane.completion] remember). What is older is dropped
// at the latest when the daemon starts. Nothing is kept, and the file removed, where content_logging is "none" or
// nothing is to be remembered.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/completion/memory_store.h"
#include "shared/clock.h"
#include "shared/file_descriptor.h"

namespace nemo::store {

// One thread of its own, which does all writing. A file that cannot be written is told in the log, once.
class CompletionFile final : public completion::MemoryStore {
 public:
  static constexpr std::size_t k_most_file_bytes = std::size_t{8} << 20U;  // then the older half goes
  static constexpr std::size_t k_most_waiting = 256;  // more than a second of typing; beyond: dropped

  CompletionFile(const std::filesystem::path& folder, const Clock& clock);
  ~CompletionFile() override;  // writes what waits
  CompletionFile(const CompletionFile&) = delete;
  CompletionFile& operator=(const CompletionFile&) = delete;

  // For how long, from now on; zero: nothing is kept, and what was is removed. Any thread. Nothing is written before.
  void keep_for(std::chrono::milliseconds time);
  // What the file holds that is no older, oldest first. Once, before the first save().
  std::vector<completion::Remembered> load(std::chrono::milliseconds time);

  void save(std::shared_ptr<const completion::Remembered> remembered) override;

 private:
  using Waiting = std::deque<std::shared_ptr<const completion::Remembered>>;
  void run();
  void obey(const Waiting& waiting, std::chrono::milliseconds time);
  void write(std::string_view bytes);
  void rewrite(std::chrono::milliseconds time, std::size_t most_bytes);
  std::string read() const;
  void complain(const char* what);

  std::filesystem::path m_path;
  const Clock& m_clock;
  FileDescriptor m_file;  // the thread only, from here
  std::size_t m_size = 0;
  bool m_has_complained = false;

  std::mutex m_mutex;  // guards the rest
  std::condition_variable m_changed;
  Waiting m_waiting;
  std::chrono::milliseconds m_time{0};
  bool m_time_changed = false;
  bool m_stop = false;
  std::thread m_thread;
};

}  // namespace nemo::store
