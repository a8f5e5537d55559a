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

constexpr std::string_view k_file_prefix = "file:";

// The file that an upstream's credentials are in; empty: none is named.
fs::path credentials_file(const config::Upstream& upstream) {
  if (!upstream.credentials.starts_with(k_file_prefix)) return {};
  return upstream.credentials.substr(k_file_prefix.size());
}

bool is_there(const std::string& path) {
  std::error_code error;
  return fs::status(path, error).type() != fs::file_type::not_found;
}

}  // namespace

Result<config::Settings> load_settings(const fs::path& file) {
  auto text = read_text(file);
  if (!text) return text.error();
  auto settings = config::parse_settings(*text, file.string(), is_there);
  if (!settings) return settings;
  if (const auto zone = lib::TimeZone::find(settings->time_zone); !zone) {
    return fail(ErrorKind::invalid_config, file.string() + ": " + zone.error().message);
  }
  return settings;
}

Configuration::Configuration(fs::path file, secrets::SecretStore& secrets, Environment env, gateway::Live& live,
                             TokenSources::Make make_tokens)
    : m_file(std::move(file)), m_secrets(secrets), m_env(env), m_live(live), m_tokens(env, std::move(make_tokens)) {}

Status Configuration::load() {
  const std::lock_guard lock(m_mutex);
  return reload_locked();
}

void Configuration::attach(upstream::ModelLists& lists, upstream::HealthProber& prober) {
  const std::lock_guard lock(m_mutex);
  m_lists = &lists;
  m_prober = &prober;
  const auto world = m_live.get();
  publish(world->settings, AskLists::yes);
}

void Configuration::detach() {
  const std::lock_guard lock(m_mutex);
  m_lists = nullptr;
  m_prober = nullptr;
}

Status Configuration::reload() {
  const std::lock_guard lock(m_mutex);
  return reload_locked();
}

bool Configuration::reload_if_changed() {
  const std::lock_guard lock(m_mutex);
  if (stamps() == m_stamps) return false;
  if (const auto status = reload_locked(); !status) {
    log::error("the changed config is not used: " + status.error().message);
  } else {
    log::info("config reloaded from " + m_file.string());
  }
  return true;
}

Status Configuration::reload_locked() {
  m_stamps = stamps();
  auto settings = load_settings(m_file);
  if (!settings) {
    m_last_error = settings.error().message;
    return settings.error();
  }
  m_last_error.clear();
  m_watched.clear();
  for (const config::Upstream& upstream : settings->upstreams) {
    if (const fs::path file = credentials_file(upstream); !file.empty()) m_watched.push_back(file);
  }
  // The file's own stays as it was before it was read: what was written since is read next time.
  const auto as_read = m_stamps.front();
  m_stamps = stamps();
  m_stamps.front() = as_read;
  publish(*settings, AskLists::yes);
  return Done{};
}

Configuration::Stamps Configuration::stamps() const {
  const auto stamp_of = [](const fs::path& file) -> std::optional<Stamp> {
    std::error_code error;
    Stamp now;
    now.time = fs::last_write_time(file, error);
    if (error) return std::nullopt;
    now.size = fs::file_size(file, error);
    if (error) return std::nullopt;
    return now;
  };
  Stamps now{stamp_of(m_file)};
  for (const fs::path& file : m_watched) now.push_back(stamp_of(file));
  return now;
}

void Configuration::use_experiments(std::vector<routing::Experiment> experiments) {
  const std::lock_guard lock(m_mutex);
  m_experiments = std::move(experiments);
  const auto world = m_live.get();
  publish(world->settings, AskLists::no);
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
  add_endpoints(*next);
  const UpstreamStates states = states_of(*next);
  next->catalog = make_catalog(settings, states);
  next->table = make_table(settings, next->catalog, states, m_experiments);
  m_fleet.attach(next->table, health_rules(settings.routing));
  tell_of(*next);
  std::vector<upstream::ListedUpstream> listed;
  for (const config::Upstream& upstream : settings.upstreams) {
    const gateway::Endpoint& endpoint = next->endpoints.at(upstream.name);
    listed.push_back({endpoint.settings, endpoint.key, !states.at(upstream.name).ready});
  }
  std::vector<upstream::ProbedDeployment> probed;
  for (const routing::Deployment& one : next->table.deployments) {
    const gateway::Endpoint& endpoint = next->endpoints.at(one.upstream);
    probed.push_back({one.id, endpoint.settings, endpoint.key, one.gauge});
  }
  m_live.set(std::move(next));
  if (m_lists != nullptr && ask == AskLists::yes) m_lists->set_upstreams(std::move(listed));
  if (m_prober != nullptr) m_prober->set_deployments(std::move(probed));
}

void Configuration::add_endpoints(gateway::Snapshot& next) {
  const auto identities = m_tokens.refresh(next.settings.upstreams);
  for (const config::Upstream& upstream : next.settings.upstreams) {
    gateway::Endpoint endpoint{upstream, resolve(upstream.key), nullptr};
    if (const auto found = identities.find(upstream.name); found != identities.end()) {
      const Result<UpstreamIdentity>& identity = found->second;
      if (identity) {
        endpoint.settings.project = identity->project;
        endpoint.quota_project = identity->quota_project;
        endpoint.tokens = identity->tokens;
      } else {
        endpoint.unusable = identity.error().message;
      }
    }
    next.endpoints.emplace(upstream.name, std::move(endpoint));
  }
}

UpstreamStates Configuration::states_of(const gateway::Snapshot& next) const {
  std::map<std::string, upstream::ListState> lists;
  if (m_lists != nullptr) lists = m_lists->states();
  UpstreamStates states;
  for (const auto& [name, endpoint] : next.endpoints) {
    UpstreamState& state = states[name];
    state.unusable = endpoint.unusable;
    state.ready = endpoint.unusable.empty() && !(needs_key(endpoint.settings) && endpoint.key.empty());
    if (const auto list = lists.find(name); list != lists.end()) state.listed = list->second.models;
  }
  return states;
}

// What is configured and cannot be used: said once while it lasts.
void Configuration::tell_of(const gateway::Snapshot& next) {
  std::set<std::string> warnings;
  for (const auto& [name, endpoint] : next.endpoints) {
    if (!endpoint.unusable.empty()) warnings.insert("upstream " + name + " is not used: " + endpoint.unusable);
  }
  for (const routing::Experiment& one : m_experiments) {
    const Status fine = can_run(one, next.settings, next.catalog);
    if (one.state == routing::ExperimentState::running && !fine) warnings.insert(fine.error().message);
  }
  for (const std::string& warning : warnings) {
    if (!m_told.contains(warning)) log::warn(warning);
  }
  m_told = std::move(warnings);
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
