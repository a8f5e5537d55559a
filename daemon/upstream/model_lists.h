// Owns: what each upstream says it serves (its GET /models), asked in the background and kept in memory.
// Must not know: routing, prices, who is calling.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "daemon/config/settings.h"
#include "daemon/upstream/transport.h"
#include "shared/file_descriptor.h"
#include "shared/result.h"
#include "shared/secret.h"

namespace nemo::upstream {

struct ListedUpstream {
  config::Upstream settings;
  Secret key;
  bool needs_key = false;  // and has none: not asked
};

// GET {base_url}/models, which costs nothing, as that kind of upstream wants it (kind anthropic: "List Models" of its
// API reference). Nothing: it has no list (kind vertex).
std::optional<Request> models_request(const config::Upstream& settings, const Secret& key);

struct ListState {
  bool has_list = true;                         // false: this kind of upstream has none, and is never asked
  std::optional<std::set<std::string>> models;  // absent: never answered
  std::string error;                            // of the last try, redacted; empty: it worked
  bool tried = false;
};

// Any thread. One thread of its own asks every upstream at start, after set_upstreams(), and then every ten minutes
// (every 30 s while it fails). `changed` is called from that thread when a list differs from before.
class ModelLists {
 public:
  using ReadIds = Result<std::vector<std::string>> (*)(std::string_view body);

  ModelLists(Transport& transport, ReadIds read_ids, std::function<void()> changed);
  ~ModelLists();

  void set_upstreams(std::vector<ListedUpstream> upstreams);  // what was known of those that stay is kept
  std::map<std::string, ListState> states() const;
  // Asks now and waits for the answer: the number of models listed. invalid_request: it has no list.
  Result<int> probe(const std::string& upstream);

 private:
  void run();
  Result<std::set<std::string>> ask(const ListedUpstream& upstream);
  Result<std::set<std::string>> try_to_ask(const ListedUpstream& upstream);
  bool note(const std::string& upstream, const Result<std::set<std::string>>& answer);

  Transport& m_transport;
  ReadIds m_read_ids;
  std::function<void()> m_changed;
  mutable std::mutex m_mutex;
  std::condition_variable m_wake;
  std::vector<ListedUpstream> m_upstreams;
  std::map<std::string, ListState> m_states;
  bool m_ask_now = false;
  bool m_stop = false;
  // A pair whose far end is closed on stop: to an exchange that looks like a client that left, and ends its waiting.
  FileDescriptor m_near;
  FileDescriptor m_far;
  std::thread m_thread;
};

}  // namespace nemo::upstream
