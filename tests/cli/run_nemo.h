// Runs the real `nemo` program and keeps what it said.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace nemo::test {

struct Said {
  int status = -1;
  std::string out;
  std::string err;
};

struct Invocation {
  std::vector<std::string> arguments;
  std::string input = {};                               // on standard input, which then ends
  std::map<std::string, std::string> environment = {};  // PATH is inherited unless it is here; nothing else is
};

// Both output streams are pipes.
Said run_nemo(const Invocation& invocation);

// All three streams are one terminal of 100 columns; `out` holds what it showed. `input` is typed once the program has
// turned the terminal's echo off.
Said run_nemo_in_terminal(const Invocation& invocation);

// Started and left running with standard output in a pipe; ended when it goes.
class RunningNemo {
 public:
  explicit RunningNemo(const Invocation& invocation);
  ~RunningNemo();
  RunningNemo(const RunningNemo&) = delete;
  RunningNemo& operator=(const RunningNemo&) = delete;

  std::string read_line();  // waits for it; without its newline

 private:
  int m_child = -1;
  int m_input = -1;
  int m_output = -1;
};

}  // namespace nemo::test
