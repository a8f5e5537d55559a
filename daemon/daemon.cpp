#include "daemon/daemon.h"

#include <utility>

#include "daemon/admin/admin_server.h"
#include "daemon/configuration.h"
#include "daemon/daemon_control.h"
#include "daemon/entitlements.h"
#include "daemon/experiments.h"
#include "daemon/gateway/gateway.h"
#include "daemon/http/editor_server.h"
#include "daemon/http/listener.h"
#include "daemon/ollama_listener.h"
#include "daemon/origin/peer_origins.h"
#include "daemon/protocol/openai.h"
#include "daemon/secrets/secret_store.h"
#include "daemon/start_settings.h"
#include "daemon/store/completion_file.h"
#include "daemon/store/sqlite_store.h"
#include "daemon/token_sources.h"
#include "daemon/upstream/curl_transport.h"
#include "daemon/upstream/health_prober.h"
#include "daemon/upstream/local/local_transport.h"
#include "daemon/upstream/model_lists.h"
#include "shared/admin/config.h"
#include "shared/guarded.h"
#include "shared/log.h"

namespace nemo {

// Declared in the order in which they need each other, so that they go down in the opposite order.
class Daemon::Parts {
 public:
  Parts(DaemonOptions given, std::unique_ptr<store::SqliteStore> opened_store)
      : options(std::move(given)),
        store(std::move(opened_store)),
        secret_store(options.data_folder / "secrets"),
        configuration(options.config_file, secret_store, options.env, live,
                      google_token_sources(transport, clock, options.env)),
        lists(transport, protocol::read_model_ids, [this] { configuration.rebuild(); }),
        prober(transport, clock),
        experiments(*store, configuration, live, clock),
        entitlements({*store, *store, *store}, transport, clock),
        completions(options.data_folder, clock),
        gateway(live, entitlements.terms(), transport, store->request_log(), clock, &completions),
        pages(live, entitlements.keys(), clock),
        editors(gateway, pages, live, origins, clock, options.patience),
        ollama_clients(gateway, pages, live, origins, clock, options.patience) {}

  ~Parts() { stop(); }

  Status open() {
    if (auto loaded = configuration.load(); !loaded) return loaded.error();
    if (auto opened = experiments.open(); !opened) return opened.error();
    const auto world = live.get();  // held: the next one comes with attach()
    const auto& settings = world->settings;
    started_with = start_settings_of(settings, options.listen ? std::optional(options.listen->first) : std::nullopt);
    recall_completions(settings);
    heed_settings();
    if (auto opened = entitlements.open(settings.time_zone); !opened) return opened.error();
    host = options.listen ? options.listen->first : settings.listen_host;
    control.emplace(DaemonControl::Parts{configuration, live, entitlements, store->request_log(), editors,
                                         ollama_clients, ollama, started_with, lists, experiments, clock,
                                         options.data_folder, host});
    admin.emplace(*control, *store, store->call_history(), clock);
    if (auto started = admin->start(options.socket); !started) return started.error();
    if (auto up = editors.listen(host, options.listen ? options.listen->second : settings.listen_port); !up) {
      return up.error();
    }
    ollama.with([place = listen_for_ollama(ollama_clients, settings)](OllamaPlace& known) { known = place; });
    configuration.attach(lists, prober);
    if (settings.require_key && entitlements.keys().empty()) {
      log::info("no key exists yet; make one with: nemo keys create --seat NAME");
    }
    return Done{};
  }

  static std::chrono::milliseconds kept_time(const config::Settings& settings) {
    const bool nothing = settings.content_logging == config::ContentLogging::none;
    return nothing ? std::chrono::milliseconds(0) : settings.lanes.at("completion").remember;
  }

  void recall_completions(const config::Settings& settings) {
    for (completion::Remembered& one : completions.load(kept_time(settings))) gateway.memory().recall(std::move(one));
  }

  // What a new config changes beyond the next call's snapshot, or cannot change.
  void heed_settings() {
    const auto world = live.get();
    const auto& settings = world->settings;
    if (std::exchange(retention_days, settings.retention_days) != settings.retention_days) {
      store->set_retention_days(settings.retention_days);
    }
    const auto keep = kept_time(settings);
    if (completions_kept_for != keep) completions.keep_for(keep);
    completions_kept_for = keep;
    entitlements.use_time_zone(settings.time_zone);
    const auto waiting = waiting_for_restart(started_with, settings);
    if (std::exchange(told_to_wait, waiting) != waiting && !waiting.empty()) log::warn(admin::restart_note(waiting));
  }

  bool stop() {
    if (stopped) return true;
    stopped = true;
    const bool all_ended = stop_both(editors, ollama_clients, live.get()->settings.drain_timeout);
    if (admin) admin->stop();
    configuration.detach();
    entitlements.close();
    store->flush();
    return all_ended;
  }

  DaemonOptions options;
  SystemClock clock;
  std::unique_ptr<store::SqliteStore> store;
  secrets::SecretStore secret_store;
  upstream::CurlTransport network;
  upstream::local::LocalTransport transport{network};
  gateway::Live live;  // behind the transport: what calls see holds the token sources, which use it
  Configuration configuration;
  upstream::ModelLists lists;
  upstream::HealthProber prober;
  Experiments experiments;
  Entitlements entitlements;
  store::CompletionFile completions;
  gateway::Gateway gateway;
  gateway::Pages pages;
  origin::PeerOrigins origins;
  http::EditorServer editors;
  http::EditorServer ollama_clients;  // at ollama_listen of the config, if anywhere
  Guarded<OllamaPlace> ollama;
  StartSettings started_with;  // does not change once open() has set it
  std::optional<DaemonControl> control;
  std::optional<admin::AdminServer> admin;
  std::string host;
  std::vector<std::string> told_to_wait;  // for a restart, in the log
  int retention_days = 0;
  std::optional<std::chrono::milliseconds> completions_kept_for;
  bool stopped = false;
};

Daemon::Daemon(std::unique_ptr<Parts> parts) : m_parts(std::move(parts)) {}

Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::start(DaemonOptions options) {
  auto store = store::SqliteStore::open(options.data_folder);
  if (!store) return store.error();
  auto parts = std::make_unique<Parts>(std::move(options), std::move(*store));
  if (auto opened = parts->open(); !opened) return opened.error();
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

std::string Daemon::url() const {
  return http::url_of(m_parts->host, port());
}

int Daemon::port() const {
  return m_parts->editors.port();
}

Status Daemon::reload() {
  return m_parts->configuration.reload();
}

void Daemon::tend() {
  m_parts->configuration.reload_if_changed();
  m_parts->heed_settings();  // also after a reload that the command line or SIGHUP asked for
  m_parts->entitlements.tend(m_parts->live.get()->settings.alerts.webhook);
}

bool Daemon::stop() {
  return m_parts->stop();
}

}  // namespace nemo
