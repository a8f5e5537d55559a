// Owns: what is known of each editor and assistant: how it is found, where its settings are, what goes in. Must not
// know: how files are edited, the daemon. What each one sends was seen or read in its own source.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/editors/places.h"
#include "cli/editors/setting.h"

namespace nemo::cli::editors {

// What a client is to talk to.
struct Target {
  std::string url;  // "http://127.0.0.1:6366"
  std::string key;
  bool has_claude = true;  // the daemon serves models of that family, so that the client's own names work
  bool has_gemini = true;

  std::string openai_url() const { return url + "/v1"; }
  // For clients that cannot send a key.
  std::string keyed_url() const { return url + "/key/" + key; }
};

struct Setting {
  Path path;
  admin::Json value;
};

// What changes in one file.
struct FileEdit {
  std::filesystem::path file;
  Format format = Format::jsonc;
  std::string starter = {};  // what a new file begins with
  std::vector<Setting> settings = {};
  Path address = {};  // the setting that holds the URL
  Path chosen = {};   // the setting that must have our value for the client to use it, if there is one
};

// The call that proves the path.
enum class CallShape : std::uint8_t { chat, completions, responses, messages, gemini, infill };
enum class KeyPlace : std::uint8_t { bearer, x_api_key, x_goog_api_key, in_path };

struct Plan {
  std::optional<FileEdit> edit = {};
  std::string snippet = {};             // to paste, when there is no file to edit
  std::string paste_into = {};          // where
  std::vector<std::string> steps = {};  // for the person, in order
  CallShape call = CallShape::chat;
  KeyPlace key_place = KeyPlace::bearer;
};

struct Client {
  std::string_view name;   // "claude-code"
  std::string_view title;  // "Claude Code"
  std::vector<std::string_view> programs;
  std::vector<std::string_view> traces;  // places, as Places::find takes them
  Plan (*plan)(const Places& places, const Target& target);
  // Where there is no file to edit: how to see where it points.
  std::string_view variable = {};              // an environment variable with the URL
  std::vector<std::string_view> sources = {};  // files and folders with a person's own configuration
  std::string_view mark = {};                  // the word that such a file holds when it is about this client
};

// In the order in which they are listed.
const std::vector<Client>& all_clients();
// By name or title, whatever the case.
const Client* find_client(std::string_view name);

// Stands for the key in what is shown before one is made. Written without quotes in every format, as a key is.
constexpr std::string_view k_key_to_come = "sk-nemo-...";

}  // namespace nemo::cli::editors
