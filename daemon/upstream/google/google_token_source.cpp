#include "daemon/upstream/google/google_token_source.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "shared/log.h"
#include "shared/thread_name.h"

namespace nemo::upstream::google {
namespace {

using std::chrono::seconds;

constexpr seconds k_margin{300};
constexpr seconds k_longest_pause{60};
// A fetch for every refusal at most this often: what is refused although it is new is refused for another reason.
constexpr seconds k_between_wanted{1};
// The steady clock stands still while the machine sleeps, so the other one is looked at from time to time.
constexpr seconds k_longest_nap{30};
constexpr Millis k_connect_timeout{5'000};
constexpr std::string_view k_outside_the_cloud =
    " If this machine is not in Google's cloud: run gcloud auth application-default login, or set credentials = "
    "\"file:…\".";
constexpr std::size_t k_largest_answer = std::size_t{256} << 10U;

Error no_token(const std::string& origin, const std::string& why) {
  std::string message = "There is no access token for " + origin + ": " + why;
  if (!message.ends_with('.')) message += '.';
  return fail(ErrorKind::upstream_error, std::move(message));
}

}  // namespace

seconds renew_after(seconds life) {
  const seconds early = std::min(life * 4 / 5, life - k_margin);
  return std::max({early, life / 2, seconds(1)});
}

seconds pause_after(int failures) {
  constexpr int k_doublings = 6;
  return std::min(seconds(std::int64_t{1} << std::clamp(failures - 1, 0, k_doublings)), k_longest_pause);
}

GoogleTokenSource::GoogleTokenSource(Transport& transport, const Clock& clock, Credentials credentials, Options options)
    : m_transport(transport),
      m_clock(clock),
      m_options(std::move(options)),
      m_credentials(std::move(credentials)),
      m_due(clock.steady()),
      m_due_wall(clock.wall()),
      m_wanted_from(clock.steady()) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    throw std::system_error(errno, std::generic_category(), "no descriptors for the access tokens");
  }
  m_near = FileDescriptor(pair[0]);
  m_far = FileDescriptor(pair[1]);
  m_thread = std::thread([this] { run(); });
}

GoogleTokenSource::~GoogleTokenSource() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_far.reset();
  m_wake.notify_all();
  m_news.notify_all();
  m_thread.join();
}

Result<Secret> GoogleTokenSource::token() {
  std::unique_lock lock(m_mutex);
  if (!m_held) {
    m_news.wait_for(lock, m_options.patience, [this] { return m_held || m_failure || m_stop; });
    if (!m_held) return m_failure ? *m_failure : no_token(m_options.origin, "Google has not answered yet.");
  }
  if (m_failure && m_clock.steady() >= m_held->ends) return *m_failure;
  return m_held->text;
}

Result<Secret> GoogleTokenSource::renew(const Secret& refused) {
  std::unique_lock lock(m_mutex);
  const auto is_another = [&] { return m_held && m_held->text.expose() != refused.expose(); };
  if (is_another()) return m_held->text;
  const std::uint64_t before = m_fetches;
  if (!m_fetching) {
    m_wanted = true;
    m_wake.notify_all();
  }
  const bool came = m_news.wait_for(lock, m_options.patience, [&] { return m_fetches != before || m_stop; });
  if (is_another()) return m_held->text;
  if (!came) return no_token(m_options.origin, "the one it had is refused, and Google has not given another yet.");
  if (m_failure) return *m_failure;
  return no_token(m_options.origin, "Google gives the one again that its own service refuses.");
}

void GoogleTokenSource::look_at_clock() {
  const std::lock_guard lock(m_mutex);
  m_wake.notify_all();
}

// With the lock held.
SteadyTime GoogleTokenSource::next_fetch() const {
  SteadyTime due = m_due;
  const SteadyTime now = m_clock.steady();
  if (m_clock.wall() >= m_due_wall) due = std::min(due, now);
  if (m_wanted) due = std::min(due, m_wanted_from);
  return due;
}

void GoogleTokenSource::run() {
  name_this_thread("nemo-google");
  std::unique_lock lock(m_mutex);
  while (!m_stop) {
    const SteadyTime now = m_clock.steady();
    if (const auto pause = next_fetch() - now; pause > pause.zero()) {
      m_wake.wait_for(lock, std::min<SteadyTime::duration>(pause, k_longest_nap));
      continue;
    }
    const WallTime now_wall = m_clock.wall();
    if (m_wanted) m_wanted_from = now + k_between_wanted;
    m_wanted = false;
    m_fetching = true;
    lock.unlock();
    auto answer = try_to_fetch();
    lock.lock();
    m_fetching = false;
    if (m_stop) return;
    note(std::move(answer), now, now_wall);
    ++m_fetches;
    m_news.notify_all();
  }
}

// With the lock held.
void GoogleTokenSource::note(Result<Grant> answer, SteadyTime asked_at, WallTime asked_at_wall) {
  if (answer) {
    if (m_failure) log::info("there is an access token again for " + m_options.origin);
    m_held = Held{std::move(answer->token), asked_at + answer->life};
    m_failure.reset();
    m_failures = 0;
    m_due = asked_at + renew_after(answer->life);
    m_due_wall = asked_at_wall + renew_after(answer->life);
    return;
  }
  if (!m_failure || m_failure->message != answer.error().message) log::warn(answer.error().message);
  m_failure = std::move(answer.error());
  ++m_failures;
  m_due = m_clock.steady() + pause_after(m_failures);
  m_due_wall = WallTime::max();
}

// Without a descriptor or memory to spare there is nothing to ask with; the next try may have some.
Result<Grant> GoogleTokenSource::try_to_fetch() try { return fetch(); } catch (const std::exception& trouble) {
  return no_token(m_options.origin, std::string("it could not be asked for: ") + trouble.what());
}

Result<Grant> GoogleTokenSource::fetch() {
  if (std::exchange(m_find_again, false) && m_options.find_again) {
    auto found = m_options.find_again();
    if (!found) {
      m_find_again = true;
      return fail(ErrorKind::upstream_error, found.error().message);
    }
    m_credentials = std::move(*found);
  }
  auto reply = ask(m_clock.wall() + m_clock_error);
  if (reply && reply->status != 200 && correct_clock(*reply)) reply = ask(m_clock.wall() + m_clock_error);
  if (!reply) return reply.error();
  if (reply->status != 200) return refused(*reply);
  auto grant = read_grant(reply->body);
  if (!grant) return no_token(m_options.origin, grant.error().message);
  return grant;
}

// Whether the answer says that our clock is wrong, and by how much: then another try may do.
bool GoogleTokenSource::correct_clock(const Reply& reply) {
  if (!std::holds_alternative<ServiceAccount>(m_credentials) || !reply.date) return false;
  if (!is_about_time(read_refusal(reply.status, reply.body))) return false;
  const auto error = std::chrono::round<seconds>(*reply.date - m_clock.wall());
  if (error == m_clock_error) return false;
  m_clock_error = error;
  if (error == seconds(0)) return true;  // it has been set since
  log::warn("this machine's clock is " + std::to_string(std::abs(error.count())) + " s " +
            (error.count() > 0 ? "behind" : "ahead of") +
            " Google's; its time is used to ask for tokens: set the clock");
  return true;
}

Error GoogleTokenSource::refused(const Reply& reply) {
  const Refusal refusal = read_refusal(reply.status, reply.body);
  Error error = explain(refusal, m_credentials, m_options.origin);
  if (is_about_time(refusal) && m_clock_error != seconds(0)) {
    error.message += " It is " + std::to_string(std::abs(m_clock_error.count())) + " s " +
                     (m_clock_error.count() > 0 ? "behind" : "ahead of") +
                     " Google's, and asking with Google's time did not help.";
  }
  m_find_again = reply.status >= 400 && reply.status < 500 && reply.status != 429;
  return error;
}

Result<GoogleTokenSource::Reply> GoogleTokenSource::ask(WallTime issued_at) {
  auto request = token_request(m_credentials, m_options.token_url, issued_at);
  if (!request) return no_token(m_options.origin, request.error().message);
  const bool of_machine = std::holds_alternative<MetadataServer>(m_credentials);
  if (!of_machine) request->ca_file = m_options.ca_file;
  request->connect_timeout = std::min(k_connect_timeout, m_options.patience);
  request->first_byte_timeout = m_options.patience;
  request->idle_timeout = m_options.patience;
  const SteadyTime until = m_clock.steady() + m_options.patience;
  const auto exchange = m_transport.start(std::move(*request));
  const auto broken = [&](const std::string& why) {
    m_find_again = of_machine;  // there may be a file by now
    Error error = no_token(m_options.origin, why);
    if (of_machine) error.message += k_outside_the_cloud;
    return error;
  };
  if (exchange->wait_head(m_near.get()) != Wake::ready) {
    return broken(exchange->failure().value_or(fail(ErrorKind::upstream_error, "no answer.")).message);
  }
  Reply reply;
  reply.status = exchange->head().status;
  if (const std::string* date = exchange->head().find("date")) reply.date = read_http_date(*date);
  while (reply.body.size() < k_largest_answer) {
    const Wake wake = exchange->wait_body(m_near.get(), until);
    exchange->take(reply.body);
    if (wake == Wake::not_yet) return broken("the answer did not come to its end in time.");
    if (wake != Wake::ready) break;
  }
  if (const auto failure = exchange->failure()) return broken(failure->message);
  return reply;
}

}  // namespace nemo::upstream::google
