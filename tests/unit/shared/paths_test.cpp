#include "shared/paths.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>

namespace nemo::test::paths_test {

using namespace nemo;

namespace {

Environment with(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    if (at == variables.end()) return std::nullopt;
    return at->second;
  };
}

}  // namespace

#ifndef __APPLE__
TEST_CASE("without variables everything lies under the home folder") {
  const auto env = with({{"HOME", "/home/anna"}});
  CHECK(config_file(env) == "/home/anna/.config/nemo/nemo.toml");
  CHECK(data_folder(env) == "/home/anna/.local/share/nemo");
  CHECK(admin_socket(env, std::nullopt) == "/home/anna/.local/share/nemo/nemod.sock");
}
#endif

TEST_CASE("the XDG folders come before the home folder") {
  const auto env = with(
      {{"HOME", "/home/anna"}, {"XDG_CONFIG_HOME", "/c"}, {"XDG_DATA_HOME", "/d"}, {"XDG_RUNTIME_DIR", "/run/user/7"}});
  CHECK(config_file(env) == "/c/nemo/nemo.toml");
  CHECK(data_folder(env) == "/d/nemo");
  CHECK(admin_socket(env, std::nullopt) == "/run/user/7/nemo/nemod.sock");
}

TEST_CASE("Nemo's own variables come before the XDG folders") {
  const auto env = with({{"HOME", "/home/anna"},
                         {"XDG_CONFIG_HOME", "/c"},
                         {"XDG_DATA_HOME", "/d"},
                         {"XDG_RUNTIME_DIR", "/r"},
                         {"NEMO_CONFIG", "/own/my.toml"},
                         {"NEMO_DATA_DIR", "/own/data"},
                         {"NEMO_SOCKET", "/own/sock"}});
  CHECK(config_file(env) == "/own/my.toml");
  CHECK(data_folder(env) == "/own/data");
  CHECK(admin_socket(env, std::nullopt) == "/own/sock");
}

TEST_CASE("with --data-dir the socket lies in that folder, whatever the environment says") {
  const auto env = with({{"HOME", "/home/anna"}, {"NEMO_SOCKET", "/own/sock"}, {"XDG_RUNTIME_DIR", "/r"}});
  CHECK(admin_socket(env, std::filesystem::path("/given")) == "/given/nemod.sock");
}

TEST_CASE("a variable that is empty counts as not set") {
  const auto env =
      with({{"HOME", "/home/anna"}, {"NEMO_DATA_DIR", ""}, {"XDG_DATA_HOME", ""}, {"XDG_RUNTIME_DIR", ""}});
  CHECK(data_folder(env) == data_folder(with({{"HOME", "/home/anna"}})));
  CHECK(admin_socket(env, std::nullopt) == admin_socket(with({{"HOME", "/home/anna"}}), std::nullopt));
}

TEST_CASE("an XDG folder that is not absolute is ignored, as its specification asks") {
  const auto plain = with({{"HOME", "/home/anna"}});
  const auto env =
      with({{"HOME", "/home/anna"}, {"XDG_CONFIG_HOME", "c"}, {"XDG_DATA_HOME", "./d"}, {"XDG_RUNTIME_DIR", "r"}});
  CHECK(config_file(env) == config_file(plain));
  CHECK(data_folder(env) == data_folder(plain));
  CHECK(admin_socket(env, std::nullopt) == admin_socket(plain, std::nullopt));
}

TEST_CASE("without a home folder the paths are absolute all the same") {
  const auto env = with({});
  CHECK(config_file(env).is_absolute());
  CHECK(data_folder(env).is_absolute());
  CHECK(admin_socket(env, std::nullopt).is_absolute());
}

TEST_CASE("the environment of the process tells set from not set") {
  CHECK(process_environment("PATH").has_value());
  CHECK_FALSE(process_environment("NEMO_A_VARIABLE_THAT_NOBODY_SETS").has_value());
}

}  // namespace nemo::test::paths_test
