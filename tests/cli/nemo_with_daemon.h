// A daemon to talk to, and the real `nemo` talking to it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/cli/fake_daemon.h"
#include "tests/cli/run_nemo.h"

namespace nemo::test {

using Arguments = std::vector<std::string>;

struct NemoWithDaemon : FakeDaemon {
  NemoWithDaemon() { start(); }
  Said run(const Arguments& arguments, const std::string& input = {}) const {
    return run_nemo({with_socket(arguments), input, {{"HOME", folder.path().string()}}});
  }
  Said show(const Arguments& arguments, std::map<std::string, std::string> environment = {}) const {
    return run_nemo_in_terminal({with_socket(arguments), {}, std::move(environment)});
  }
  Arguments with_socket(const Arguments& arguments) const {
    Arguments all{"--socket", socket.string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
};

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace nemo::test
