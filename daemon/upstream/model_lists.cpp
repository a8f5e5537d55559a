#include "daemon/upstream/model_lists.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "shared/log.h"
#include "shared/thread_name.h"

namespace nemo::upstream {
namespace {

constexpr std::chrono::minutes k_refresh{10};
constexpr std::chrono::seconds k_retry{30};
constexpr Millis k_list_patience{10'000};
constexpr std::size_t k_largest_list = std::size_t{8} << 20U;

bool has_list(const config::Upstream& settings) {
  return settings.kind != config::UpstreamKind::vertex;
}

Error no_list(const std::string& upstream) {
  return fail(ErrorKind::invalid_request, "Upstream \"" + upstream + "\" is of a kind that has no list of models.");
}

}  // namespace

std::optional<Request> models_request(const config::Upstream& settings, const Secret& key) {
  if (!has_list(settings)) return std::nullopt;
  Request request;
  request.method = "GET";
  request.url = settings.base_url + "/models";
  request.headers = {"Accept: application/json"};
  if (settings.kind == config::UpstreamKind::anthropic) {
    request.url += "?limit=1000";  // the most that one answer holds, and more than there are; unasked it holds 20
    request.headers.emplace_back("anthropic-version: 2023-06-01");
    request.key_header = "x-api-key";
  }
  request.bearer = key;
  request.ca_file = settings.ca_file;
  if (settings.http2) request.version = *settings.http2 ? HttpVersion::http2 : HttpVersion::http1;
  request.connect_timeout = settings.connect_timeout;
  request.first_byte_timeout = k_list_patience;
  request.idle_timeout = k_list_patience;
  return request;
}

ModelLists::ModelLists(Transport& transport, ReadIds read_ids, std::function<void()> changed)
    : m_transport(transport), m_read_ids(read_ids), m_changed(std::move(changed)) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    throw std::system_error(errno, std::generic_category(), "no descriptors for the model lists");
  }
  m_near = FileDescriptor(pair[0]);
  m_far = FileDescriptor(pair[1]);
  m_thread = std::thread([this] { run(); });
}

ModelLists::~ModelLists() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_far.reset();
  m_wake.notify_all();
  m_thread.join();
}

void ModelLists::set_upstreams(std::vector<ListedUpstream> upstreams) {
  {
    const std::lock_guard lock(m_mutex);
    m_upstreams = std::move(upstreams);
    std::erase_if(m_states, [&](const auto& state) {
      return std::none_of(m_upstreams.begin(), m_upstreams.end(),
                          [&](const ListedUpstream& one) { return one.settings.name == state.first; });
    });
    for (const ListedUpstream& one : m_upstreams) {
      ListState& state = m_states[one.settings.name];
      if (state.has_list != has_list(one.settings)) state = ListState{has_list(one.settings), {}, {}, false};
    }
    m_ask_now = true;
  }
  m_wake.notify_all();
}

std::map<std::string, ListState> ModelLists::states() const {
  const std::lock_guard lock(m_mutex);
  return m_states;
}

void ModelLists::run() {
  name_this_thread("nemo-models");
  std::unique_lock lock(m_mutex);
  while (!m_stop) {
    m_ask_now = false;
    const auto upstreams = m_upstreams;
    lock.unlock();
    bool changed = false;
    bool all_well = true;
    for (const ListedUpstream& upstream : upstreams) {
      if (upstream.needs_key || !has_list(upstream.settings)) continue;
      const auto answer = try_to_ask(upstream);
      all_well = all_well && answer.ok();
      changed = note(upstream.settings.name, answer) || changed;
    }
    if (changed) m_changed();
    lock.lock();
    const std::chrono::seconds pause = all_well ? std::chrono::seconds(k_refresh) : k_retry;
    m_wake.wait_for(lock, pause, [this] { return m_stop || m_ask_now; });
  }
}

// Without a descriptor to spare there is nothing to ask with; the next round may have one.
Result<std::set<std::string>> ModelLists::try_to_ask(const ListedUpstream& upstream) try {
  return ask(upstream);
} catch (const std::exception& trouble) {
  return fail(ErrorKind::internal, std::string("it could not be asked: ") + trouble.what());
}

bool ModelLists::note(const std::string& upstream, const Result<std::set<std::string>>& answer) {
  const std::lock_guard lock(m_mutex);
  ListState& state = m_states[upstream];
  if (!state.has_list) return false;  // its kind was changed while it was asked
  state.tried = true;
  if (!answer) {
    if (state.error != answer.error().message) {
      log::warn("upstream " + upstream + " does not list its models: " + answer.error().message);
    }
    state.error = answer.error().message;
    return false;
  }
  state.error.clear();
  if (state.models == *answer) return false;
  state.models = *answer;
  return true;
}

Result<std::set<std::string>> ModelLists::ask(const ListedUpstream& upstream) {
  auto request = models_request(upstream.settings, upstream.key);
  if (!request) return no_list(upstream.settings.name);
  const auto exchange = m_transport.start(std::move(*request));
  if (exchange->wait_head(m_near.get()) != Wake::ready) {
    return exchange->failure().value_or(fail(ErrorKind::upstream_error, "no answer"));
  }
  std::string body;
  while (body.size() < k_largest_list) {
    const Wake wake = exchange->wait_body(m_near.get());
    exchange->take(body);
    if (wake != Wake::ready) break;
  }
  if (const auto broken = exchange->failure()) return *broken;
  const int status = exchange->head().status;
  if (status != 200)
    return fail(ErrorKind::upstream_error, "GET /models was answered with status " + std::to_string(status) + ".");
  auto ids = m_read_ids(body);
  if (!ids) return ids.error();
  return std::set<std::string>(ids->begin(), ids->end());
}

Result<int> ModelLists::probe(const std::string& name) {
  std::optional<ListedUpstream> upstream;
  {
    const std::lock_guard lock(m_mutex);
    for (const ListedUpstream& one : m_upstreams) {
      if (one.settings.name == name) upstream = one;
    }
  }
  if (!upstream) return fail(ErrorKind::not_found, "There is no upstream \"" + name + "\" in the config.");
  if (!has_list(upstream->settings)) return no_list(name);
  const auto answer = ask(*upstream);
  if (note(name, answer)) m_changed();
  if (!answer) return answer.error();
  return static_cast<int>(answer->size());
}

}  // namespace nemo::upstream
