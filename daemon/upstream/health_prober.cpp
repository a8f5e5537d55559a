#include "daemon/upstream/health_prober.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <system_error>

#include "daemon/upstream/google/endpoints.h"
#include "daemon/upstream/model_lists.h"
#include "shared/log.h"
#include "shared/thread_name.h"

namespace nemo::upstream {
namespace {

using std::chrono::seconds;

constexpr seconds k_between_looks{2};
constexpr seconds k_between_questions_in_trouble{10};
constexpr seconds k_between_questions_at_rest{60};
constexpr seconds k_at_rest_after{60};
// Shorter than the time between two questions, so that there is one at a time.
constexpr Millis k_probe_patience{5'000};

struct Summary {
  bool in_trouble = false;
  bool may_be_asked = false;
  SteadyTime last_begun = SteadyTime::min();
};

// Whatever it answers, there is a connection then.
std::optional<Request> request_for_nothing(const config::Upstream& upstream) {
  if (upstream.kind != config::UpstreamKind::vertex) return std::nullopt;
  Request request;
  request.method = "GET";
  request.url = upstream.base_url.empty() ? google::base_url_of(upstream.location) : upstream.base_url;
  request.ca_file = upstream.ca_file;
  request.connect_timeout = upstream.connect_timeout;
  return request;
}

bool lacks_key(const ProbedDeployment& deployment) {
  return deployment.upstream.key.kind != config::SecretRef::Kind::none && deployment.key.empty();
}

}  // namespace

std::vector<std::string> due_upstreams(const std::vector<Standing>& deployments,
                                       const std::map<std::string, SteadyTime>& last_asked, SteadyTime now,
                                       Occasion occasion) {
  using routing::Condition;
  std::map<std::string, Summary> upstreams;
  for (const Standing& one : deployments) {
    Summary& summary = upstreams[one.upstream];
    summary.in_trouble |= one.condition == Condition::cooling || one.condition == Condition::half_open;
    summary.may_be_asked |= one.condition != Condition::rate_limited;
    summary.last_begun = std::max(summary.last_begun, one.last_begun);
  }
  std::vector<std::string> due;
  for (const auto& [name, summary] : upstreams) {
    if (summary.may_be_asked && occasion == Occasion::interruption) {
      due.push_back(name);
      continue;
    }
    const bool at_rest = now >= summary.last_begun + k_at_rest_after;
    if (!summary.may_be_asked || (!summary.in_trouble && !at_rest)) continue;
    const seconds pause = summary.in_trouble ? k_between_questions_in_trouble : k_between_questions_at_rest;
    const auto asked = last_asked.find(name);
    if (asked == last_asked.end() || now - asked->second >= pause) due.push_back(name);
  }
  return due;
}

std::optional<Verdict> verdict_on(int status) {
  switch (status) {
    case 401:
    case 403:
      return Verdict{false, "unauthorized"};
    case 429:
      return std::nullopt;
    default:
      break;
  }
  if (status < 500) return Verdict{true, {}};
  return Verdict{false, std::string(code_of(ErrorKind::upstream_error))};
}

HealthProber::HealthProber(Transport& transport, const Clock& clock, std::function<Sight()> look)
    : m_transport(transport), m_clock(clock), m_machine(std::move(look)) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    throw std::system_error(errno, std::generic_category(), "no descriptors for the health prober");
  }
  m_near = FileDescriptor(pair[0]);
  m_far = FileDescriptor(pair[1]);
  m_thread = std::thread([this] { run(); });
}

HealthProber::~HealthProber() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_far.reset();
  m_wake.notify_all();
  m_thread.join();
}

void HealthProber::set_deployments(std::vector<ProbedDeployment> deployments) {
  std::erase_if(deployments, lacks_key);
  {
    const std::lock_guard lock(m_mutex);
    m_deployments = std::make_shared<const Deployments>(std::move(deployments));
    m_look_now = true;
  }
  m_wake.notify_all();
}

void HealthProber::run() {
  name_this_thread("nemo-prober");
  std::unique_lock lock(m_mutex);
  while (!m_stop) {
    m_look_now = false;
    const auto deployments = m_deployments;
    lock.unlock();
    // Without memory or a descriptor to spare nobody is asked; the next round may have them.
    try {
      const bool interrupted = m_machine.has_changed();
      if (interrupted) m_transport.forget_connections();
      ask_those_due(*deployments, interrupted ? Occasion::interruption : Occasion::usual);
    } catch (const std::exception& trouble) {
      log::warn(std::string("the health of upstreams could not be asked for: ") + trouble.what());
    }
    lock.lock();
    m_wake.wait_for(lock, k_between_looks, [this] { return m_stop || m_look_now; });
  }
}

void HealthProber::ask_those_due(const Deployments& deployments, Occasion occasion) {
  const SteadyTime now = m_clock.steady();
  std::vector<Standing> standings;
  standings.reserve(deployments.size());
  for (const ProbedDeployment& one : deployments) {
    const auto figures = one.gauge->figures({}, routing::Answering::streamed, now);
    standings.push_back({one.upstream.name, figures.condition, one.gauge->last_begun()});
  }
  std::vector<Question> questions;
  for (const std::string& name : due_upstreams(standings, m_last_asked, now, occasion)) {
    const auto at = std::find_if(deployments.begin(), deployments.end(),
                                 [&](const ProbedDeployment& one) { return one.upstream.name == name; });
    m_last_asked[name] = now;
    if (auto question = ask(*at)) questions.push_back(std::move(*question));
  }
  for (const Question& question : questions) hear(question, deployments);
  std::erase_if(m_last_asked, [&](const auto& asked) { return now - asked.second >= k_between_questions_at_rest; });
}

std::optional<HealthProber::Question> HealthProber::ask(const ProbedDeployment& deployment) {
  auto request = models_request(deployment.upstream, deployment.key);
  const bool has_list = request.has_value();
  if (!has_list) request = request_for_nothing(deployment.upstream);
  if (!request) return std::nullopt;
  request->first_byte_timeout = k_probe_patience;
  request->idle_timeout = k_probe_patience;
  request->raced = true;  // they all go on while this thread waits for one
  return Question{deployment.upstream.name, m_transport.start(std::move(*request)), has_list};
}

// An answer that is left unread would take its connection with it.
void HealthProber::read_to_end(Exchange& exchange) {
  constexpr std::size_t k_longest = std::size_t{1} << 20U;
  std::string body;
  while (body.size() < k_longest && exchange.wait_body(m_near.get()) == Wake::ready) exchange.take(body);
}

void HealthProber::hear(const Question& question, const Deployments& deployments) {
  Exchange& exchange = *question.exchange;
  std::optional<Verdict> verdict;
  switch (exchange.wait_head(m_near.get())) {
    case Wake::client_gone:
    case Wake::not_yet:
      return;
    case Wake::ready:
      verdict = verdict_on(exchange.head().status);
      break;
    case Wake::ended: {
      const auto failure = exchange.failure();
      verdict = Verdict{false, std::string(failure ? failure->code() : code_of(ErrorKind::upstream_error))};
      break;
    }
  }
  read_to_end(exchange);
  if (!verdict || !question.counts) return;
  const SteadyTime now = m_clock.steady();
  for (const ProbedDeployment& one : deployments) {
    if (one.upstream.name == question.upstream) one.gauge->probed(verdict->answered, verdict->code, now);
  }
}

}  // namespace nemo::upstream
