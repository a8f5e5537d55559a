#include "cli/editors/connection.h"

#include <nlohmann/json.hpp>

#include "cli/editors/settings_file.h"

namespace nemo::cli::editors {
namespace {

using admin::Json;
namespace fs = std::filesystem;

fs::path record_of(const Environment& env, std::string_view client) {
  return data_folder(env) / "connections" / (std::string(client) + ".json");
}

Json json_of(const Connection& connection) {
  Json settings = Json::array();
  for (const WrittenSetting& each : connection.settings) {
    settings.push_back(
        {{"path", each.path}, {"before", each.before ? Json(*each.before) : Json(nullptr)}, {"kept", each.kept}});
  }
  return {{"client", connection.client},     {"key_id", connection.key_id},       {"key_hint", connection.key_hint},
          {"file", connection.file},         {"created", connection.created},     {"backup", connection.backup},
          {"is_whole", connection.is_whole}, {"text_mark", connection.text_mark}, {"settings", std::move(settings)}};
}

// Throws what the library throws.
Connection read(const Json& json) {
  Connection connection{json.at("client"),   json.at("key_id"),    json.at("key_hint"),
                        json.at("file"),     json.at("created"),   json.at("backup"),
                        json.at("is_whole"), json.at("text_mark"), {}};
  for (const Json& each : json.at("settings")) {
    WrittenSetting setting{each.at("path").get<Path>(), std::nullopt, each.at("kept").get<std::size_t>()};
    if (!each.at("before").is_null()) setting.before = each.at("before").get<std::string>();
    connection.settings.push_back(std::move(setting));
  }
  return connection;
}

}  // namespace

std::string mark_of(std::string_view text) {
  // FNV-1a, 64 bits.
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return std::to_string(text.size()) + "-" + std::to_string(hash);
}

Result<std::optional<Connection>> load_connection(const Environment& env, std::string_view client) {
  const fs::path path = record_of(env, client);
  const auto file = load_settings(path);
  if (!file) return file.error();
  if (!file->exists) return std::optional<Connection>();
  try {
    return std::optional<Connection>(read(Json::parse(file->text)));
  } catch (const Json::exception&) {
    return fail(ErrorKind::storage, path.string() + " makes no sense; remove it, and what was written by hand");
  }
}

Status save_connection(const Environment& env, const Connection& connection) {
  const fs::path path = record_of(env, connection.client);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return fail(ErrorKind::storage, "cannot make " + path.parent_path().string() + ": " + error.message());
  fs::permissions(path.parent_path(), fs::perms::owner_all, error);
  auto file = load_settings(path);
  if (!file) return file.error();
  file->mode = 0600;
  // What stood in a file before may be no UTF-8 where a comment was.
  return replace(*file, json_of(connection).dump(2, ' ', true, Json::error_handler_t::replace) + "\n");
}

Status forget_connection(const Environment& env, std::string_view client) {
  const auto file = load_settings(record_of(env, client));
  if (!file) return file.error();
  return remove(*file);
}

}  // namespace nemo::cli::editors
