#include "daemon/configuration.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "daemon/config/edit_settings.h"
#include "daemon/config/parse_settings.h"
#include "daemon/lib/time_zone/time_zone.h"
#include "shared/file_descriptor.h"
#include "shared/log.h"

namespace nemo {
namespace {

namespace fs = std::filesystem;

Result<std::string> read_text(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error) && !error) return std::string();
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (error || !stream || fs::is_directory(file, error))
    return fail(ErrorKind::invalid_config, file.string() + " cannot be read: check its permissions.");
  return text.str();
}

// Beside the file and then renamed over it, so that a crash leaves the old one or the new one. The file keeps its mode,
// and a link to it (people keep their settings in a repository) stays a link.
Status write_text(const fs::path& name, const std::string& text) {
  std::error_code error;
  const fs::path real = fs::canonical(name, error);
  const fs::path& file = error ? name : real;
  fs::create_directories(file.parent_path(), error);
  struct stat old {};
  const mode_t mode = ::stat(file.c_str(), &old) == 0 ? old.st_mode & 0777U : 0600U;
  const fs::path beside = file.string() + ".new";
  const auto refused = [&] {
    return fail(ErrorKind::storage, file.string() + " cannot be written: check the permissions and the free space.");
  };
  {
    fs::remove(beside, error);  // of a crash
    const FileDescriptor fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid()) return refused();
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size()) || ::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0) {
      fs::remove(beside, error);
      return refused();
    }
  }
  fs::rename(beside, file, error);
  if (error) return refused();
  return Done{};
}

bool needs_key(const config::Upstream& upstream) {
  return upstream.key.kind != config::SecretRef::Kind::none;
}

// A line break at the end, as `export KEY=$(cat file)` may leave one, would break the header it is sent in.
Secret trimmed(std::string text) {
  const auto last = text.find_last_not_of(" \t\r\n");
  text.erase(last == std::string::npos ? 0 : last + 1);
  return Secret(std::move(text));
}

// What only an upstream names is in the catalog too, without a price: so it can be refused for that, not as unknown.
std::map<std::string, catalog::ModelOverride> with_listed(std::map<std::string, catalog::ModelOverride> models,
                                                          const std::map<std::string, upstream::ListState>& lists) {
  const catalog::Catalog known;
  for (const auto& [name, state] : lists) {
    if (!state.models) continue;
    for (const std::string& id : *state.models) {
      if (known.find(id) != nullptr || models.contains(id)) continue;
      catalog::ModelOverride bare;
      bare.capabilities = std::vector<std::string>{"chat", "embeddings"};
      models.emplace(id, std::move(bare));
    }
  }
  return models;
}

routing::Table make_table(const config::Settings& settings, const catalog::Catalog& catalog,
                          const std::map<std::string, gateway::Endpoint>& endpoints,
                          const std::map<std::string, upstream::ListState>& lists) {
  routing::Table table;
  table.aliases = settings.aliases;
  for (const auto& [name, lane] : settings.lanes) table.lanes[name] = {lane.model, lane.fallbacks, lane.tags};
  const auto keyless = [&](const config::Upstream& upstream) {
    return needs_key(upstream) && endpoints.at(upstream.name).key.empty();
  };
  for (const config::Deployment& one : settings.deployments) {
    const config::Upstream* upstream = settings.find_upstream(one.upstream);
    routing::Deployment deployment;
    deployment.id = one.model + "@" + one.upstream;
    deployment.model = one.model;
    deployment.upstream = one.upstream;
    deployment.upstream_model = one.upstream_model;
    deployment.order = one.order;
    deployment.weight = one.weight;
    deployment.tags = one.tags;
    deployment.drain_on_disconnect = one.on_disconnect == config::OnDisconnect::drain;
    deployment.unpriced_allowed = upstream->unpriced_allowed;
    deployment.keyless = keyless(*upstream);
    table.deployments.push_back(std::move(deployment));
  }
  for (const config::Upstream& upstream : settings.upstreams) {
    routing::UpstreamFacts facts{upstream.name, upstream.unpriced_allowed, keyless(upstream), {}};
    if (const auto list = lists.find(upstream.name); list != lists.end()) facts.listed = list->second.models;
    add_implicit_deployments(table, catalog, facts);
  }
  return table;
}

}  // namespace

Result<config::Settings> load_settings(const fs::path& file) {
  auto text = read_text(file);
  if (!text) return text.error();
  auto settings = config::parse_settings(*text, file.string());
  if (!settings) return settings;
  if (const auto zone = lib::TimeZone::find(settings->time_zone); !zone) {
    return fail(ErrorKind::invalid_config, file.string() + ": " + zone.error().message);
  }
  return settings;
}

Configuration::Configuration(fs::path file, secrets::SecretStore& secrets, Environment env, gateway::Live& live)
    : m_file(std::move(file)), m_secrets(secrets), m_env(std::move(env)), m_live(live) {}

Status Configuration::load() {
  const std::lock_guard lock(m_mutex);
  return reload_locked();
}

void Configuration::attach(upstream::ModelLists& lists) {
  const std::lock_guard lock(m_mutex);
  m_lists = &lists;
  const auto world = m_live.get();
  publish(world->settings, AskLists::yes);
}

void Configuration::detach() {
  const std::lock_guard lock(m_mutex);
  m_lists = nullptr;
}

Status Configuration::reload() {
  const std::lock_guard lock(m_mutex);
  return reload_locked();
}

bool Configuration::reload_if_changed() {
  const std::lock_guard lock(m_mutex);
  if (stamp() == m_stamp) return false;
  if (const auto status = reload_locked(); !status) {
    log::error("the changed config is not used: " + status.error().message);
  } else {
    log::info("config reloaded from " + m_file.string());
  }
  return true;
}

Status Configuration::reload_locked() {
  m_stamp = stamp();
  auto settings = load_settings(m_file);
  if (!settings) {
    m_last_error = settings.error().message;
    return settings.error();
  }
  m_last_error.clear();
  publish(*settings, AskLists::yes);
  return Done{};
}

std::optional<Configuration::Stamp> Configuration::stamp() const {
  std::error_code error;
  Stamp now;
  now.time = fs::last_write_time(m_file, error);
  if (error) return std::nullopt;
  now.size = fs::file_size(m_file, error);
  if (error) return std::nullopt;
  return now;
}

void Configuration::rebuild() {
  const std::lock_guard lock(m_mutex);
  const auto world = m_live.get();
  publish(world->settings, AskLists::no);
}

// With m_mutex held. Calls that run keep the snapshot they have.
void Configuration::publish(const config::Settings& settings, AskLists ask) {
  auto next = std::make_shared<gateway::Snapshot>();
  next->settings = settings;
  std::vector<upstream::ListedUpstream> listed;
  for (const config::Upstream& upstream : settings.upstreams) {
    Secret key = resolve(upstream.key);
    listed.push_back({upstream, key, needs_key(upstream) && key.empty()});
    next->endpoints.emplace(upstream.name, gateway::Endpoint{upstream, std::move(key)});
  }
  std::map<std::string, upstream::ListState> lists;
  if (m_lists != nullptr) lists = m_lists->states();
  next->catalog = catalog::Catalog(with_listed(settings.models, lists));
  next->table = make_table(settings, next->catalog, next->endpoints, lists);
  m_live.set(std::move(next));
  if (m_lists != nullptr && ask == AskLists::yes) m_lists->set_upstreams(std::move(listed));
}

Secret Configuration::resolve(const config::SecretRef& ref) const {
  using Kind = config::SecretRef::Kind;
  switch (ref.kind) {
    case Kind::none:
      return {};
    case Kind::env:
      return trimmed(m_env(ref.name.c_str()).value_or(""));
    case Kind::file: {
      auto secret = secrets::load_secret_file(ref.name);
      if (secret) return *secret;
      log::warn(secret.error().message);
      return {};
    }
    case Kind::secret: {
      // The seat key may come from the environment instead of `nemo login`.
      if (ref.name == "nemo") {
        if (auto key = m_env("NEMOROUTER_API_KEY"); key && !key->empty()) return trimmed(std::move(*key));
      }
      auto secret = m_secrets.load(ref.name);
      if (!secret) log::warn(secret.error().message);
      return secret && *secret ? **secret : Secret();
    }
  }
  return {};
}

Status Configuration::set_lane_model(const std::string& lane, const std::string& model) {
  const std::lock_guard lock(m_mutex);
  const auto world = m_live.get();
  if (!world->settings.lanes.contains(lane)) {
    return fail(ErrorKind::not_found, "There is no lane \"" + lane + "\": the lanes are completion and reasoning.");
  }
  if (world->catalog.find(model) == nullptr) {
    std::string message = "There is no model \"" + model + "\".";
    const auto near = world->catalog.nearest(model);
    for (std::size_t i = 0; i < near.size(); ++i) message.append(i == 0 ? " Near: " : ", ").append(near[i]);
    return fail(ErrorKind::model_not_found, message + (near.empty() ? " `nemo models` lists them." : "."), "model");
  }
  auto text = read_text(m_file);
  if (!text) return text.error();
  auto edited = config::with_lane_model(*text, lane, model);
  if (!edited) return edited.error();
  if (auto written = write_text(m_file, *edited); !written) return written.error();
  return reload_locked();
}

Status Configuration::set_key(const std::string& upstream, const Secret* key) {
  const std::lock_guard lock(m_mutex);
  const auto world = m_live.get();
  const config::Upstream* found = world->settings.find_upstream(upstream);
  if (found == nullptr) return fail(ErrorKind::not_found, "There is no upstream \"" + upstream + "\" in the config.");
  if (found->key.kind != config::SecretRef::Kind::secret) {
    return fail(ErrorKind::conflict, "The key of \"" + upstream +
                                         "\" does not come from `nemo login`: the config says where it comes from. Say "
                                         "key = \"secret:" +
                                         upstream + "\" there to change that.");
  }
  const Status saved = key == nullptr ? m_secrets.remove(found->key.name) : m_secrets.save(found->key.name, *key);
  if (!saved) return saved.error();
  publish(world->settings, AskLists::yes);
  return Done{};
}

std::string Configuration::last_error() const {
  const std::lock_guard lock(m_mutex);
  return m_last_error;
}

}  // namespace nemo
