// A program of ours as its users run it: started with arguments and an environment, read line by line, signalled.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "shared/file_descriptor.h"

namespace nemo::test {

std::string nemod_path();

// Killed with this object if it has not ended before.
class ChildProcess {
 public:
  using Variables = std::vector<std::pair<std::string, std::string>>;
  // Its environment is PATH, LD_LIBRARY_PATH and the sanitizers' options of this one, and `variables`.
  explicit ChildProcess(const std::vector<std::string>& command, const Variables& variables = {});
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return m_pid; }
  void signal(int number) const;
  // Reads what it writes (stdout and stderr) until a line that holds `part`; that line. Empty: it ended without one.
  std::string wait_for_line(const std::string& part);
  // Waits for its end. Its exit code, or minus the signal that killed it.
  int wait();
  const std::string& output() const { return m_output; }  // all that was read of it; after wait(): all

 private:
  bool read_some();

  pid_t m_pid = -1;
  int m_code = 0;
  FileDescriptor m_out;
  std::string m_output;
  std::size_t m_seen = 0;  // of m_output, by wait_for_line
};

}  // namespace nemo::test
