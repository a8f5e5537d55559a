#include "daemon/exporters/alert_webhook.h"

#include <sys/socket.h>

#include <array>
#include <chrono>

#include "shared/json_escape.h"
#include "shared/log.h"
#include "shared/money.h"
#include "shared/thread_name.h"

namespace nemo::exporters {
namespace {

using namespace std::chrono_literals;

// More than a person reads; a webhook that is down for long is told of the newest.
constexpr std::size_t k_most_waiting = 100;
constexpr int k_tries = 3;
constexpr auto k_patience = 10s;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  return out.append("\"");
}

}  // namespace

std::string alert_body(const budget::Crossing& crossing) {
  const std::string kind(call::to_string(crossing.scope.kind));
  const std::string window(call::to_string(crossing.window));
  const std::string text = "Nemo: " + kind + " " + crossing.scope.name + " has spent " +
                           std::to_string(crossing.percent) + " % of its budget of $" + to_dollars(crossing.limit) +
                           "/" + window;
  std::string body = "{\"text\":" + quoted(text);
  body.append(",\"event\":\"budget_threshold\",\"scope\":").append(quoted(kind));
  body.append(",\"name\":").append(quoted(crossing.scope.name));
  body.append(",\"window\":").append(quoted(window));
  body.append(",\"percent\":").append(std::to_string(crossing.percent));
  body.append(",\"limit\":").append(quoted(to_dollars(crossing.limit)));
  body.append(",\"spent\":").append(quoted(to_dollars(crossing.spent)));
  return body.append("}");
}

AlertWebhook::AlertWebhook(upstream::Transport& transport) : m_transport(transport) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return;  // then a stop waits a little
  m_watched = FileDescriptor(ends[0]);
  m_stopper = FileDescriptor(ends[1]);
}

AlertWebhook::~AlertWebhook() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_stopper.reset();
  m_wake.notify_one();
  if (m_thread.joinable()) m_thread.join();
}

void AlertWebhook::offer(const std::string& url, const budget::Crossing& crossing) {
  if (url.empty()) return;
  {
    const std::lock_guard lock(m_mutex);
    if (m_queue.size() == k_most_waiting) m_queue.pop_front();
    m_queue.push_back({url, alert_body(crossing)});
    if (!m_thread.joinable()) m_thread = std::thread([this] { run(); });
  }
  m_wake.notify_one();
}

void AlertWebhook::run() {
  name_this_thread("nemo-alerts");
  for (;;) {
    Post post;
    {
      std::unique_lock lock(m_mutex);
      m_wake.wait(lock, [this] { return m_stop || !m_queue.empty(); });
      if (m_stop) return;
      post = std::move(m_queue.front());
      m_queue.pop_front();
    }
    for (int tries = 1; !send(post); ++tries) {
      if (tries == k_tries) log::warn("the alert webhook was not reached; the alert is shown by `nemo status`");
      if (tries == k_tries || !wait_before_retry(tries)) break;
    }
  }
}

bool AlertWebhook::wait_before_retry(int tries) {
  std::unique_lock lock(m_mutex);
  return !m_wake.wait_for(lock, tries * 2s, [this] { return m_stop; });
}

bool AlertWebhook::send(const Post& post) {
  upstream::Request request;
  request.url = post.url;
  request.headers = {"Content-Type: application/json"};
  request.body = post.body;
  request.first_byte_timeout = k_patience;
  const auto exchange = m_transport.start(std::move(request));
  if (exchange->wait_head(m_watched.get()) != upstream::Wake::ready) return false;
  return exchange->head().status < 300;
}

}  // namespace nemo::exporters
