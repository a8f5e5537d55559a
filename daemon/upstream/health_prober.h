// Owns: questions that cost nothing to upstreams that calls say nothing of: those in trouble, and those at rest.
// Must not know: what a deployment's answers say of its health (routing), which calls are made.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/config/settings.h"
#include "daemon/routing/gauge.h"
#include "daemon/upstream/machine_watch.h"
#include "daemon/upstream/transport.h"
#include "shared/clock.h"
#include "shared/file_descriptor.h"
#include "shared/secret.h"

namespace nemo::upstream {

struct ProbedDeployment {
  std::string id;
  config::Upstream upstream;
  Secret key;
  std::shared_ptr<routing::Gauge> gauge;
};

// What is known of a deployment when it is decided whom to ask.
struct Standing {
  std::string upstream;  // by name
  routing::Condition condition = routing::Condition::healthy;
  SteadyTime last_begun;
};

// The upstreams to be asked now: one with a deployment that is cooling or half-open, when it was not asked within 10 s;
// one at all of whose deployments no call has begun for a minute, when it was not asked within 60 s; after an
// interruption all. One that said when to come back (rate_limited) is left alone. Pure.
enum class Occasion : std::uint8_t { usual, interruption };
std::vector<std::string> due_upstreams(const std::vector<Standing>& deployments,
                                       const std::map<std::string, SteadyTime>& last_asked, SteadyTime now,
                                       Occasion occasion = Occasion::usual);

// What an answer to the question says of all deployments of an upstream; absent: nothing.
struct Verdict {
  bool answered = false;
  std::string code;  // why not: "unauthorized" or the contract's code of the failure
  friend bool operator==(const Verdict&, const Verdict&) = default;
};
// Any status below 500 is an answer, also of an upstream without a list. 401 and 403: its key is not good. 429 says
// nothing: it is there, but did not want to be asked.
std::optional<Verdict> verdict_on(int status);

// Any thread. One thread of its own looks every few seconds at who is due (by `clock`), asks them all at once for their
// model list, and tells their gauges. That also keeps the connections of an upstream at rest open, so that the first
// keystroke finds them; once the machine has slept or has another network they are made anew at once. An upstream of
// kind vertex, which has no list, is only connected to; those that need a key and have none are never asked.
class HealthProber {
 public:
  HealthProber(Transport& transport, const Clock& clock, std::function<Sight()> look = look_at_machine);
  ~HealthProber();  // gives up what runs, within milliseconds
  HealthProber(const HealthProber&) = delete;
  HealthProber& operator=(const HealthProber&) = delete;

  // All deployments from now on; who is due is looked at right away. When an upstream was last asked is remembered.
  void set_deployments(std::vector<ProbedDeployment> deployments);

 private:
  using Deployments = std::vector<ProbedDeployment>;
  struct Question {
    std::string upstream;
    std::unique_ptr<Exchange> exchange;
    bool counts = true;  // the answer says something of its deployments
  };

  void run();
  void ask_those_due(const Deployments& deployments, Occasion occasion);
  std::optional<Question> ask(const ProbedDeployment& deployment);
  void hear(const Question& question, const Deployments& deployments);
  void read_to_end(Exchange& exchange);

  Transport& m_transport;
  const Clock& m_clock;
  MachineWatch m_machine;                          // the own thread's
  std::map<std::string, SteadyTime> m_last_asked;  // by upstream; likewise
  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::shared_ptr<const Deployments> m_deployments = std::make_shared<const Deployments>();
  bool m_look_now = false;
  bool m_stop = false;
  // A pair whose far end is closed on stop: to an exchange that looks like a client that left, and ends its waiting.
  FileDescriptor m_near;
  FileDescriptor m_far;
  std::thread m_thread;
};

}  // namespace nemo::upstream
