// Owns: the access token of one Google identity, fetched at start and renewed ahead of its end.
// Must not know: which upstream uses it, what a call is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daemon/upstream/google/adc.h"
#include "daemon/upstream/google/token_exchange.h"
#include "daemon/upstream/token_source.h"
#include "daemon/upstream/transport.h"
#include "shared/clock.h"
#include "shared/file_descriptor.h"

namespace nemo::upstream::google {

// How long after it was given a token is renewed: when 80 % of its life or all but five minutes of it have passed,
// whichever is earlier, but never before half of it has.
std::chrono::seconds renew_after(std::chrono::seconds life);
// The pause after so many failures in a row: 1, 2, 4 … 60 s.
std::chrono::seconds pause_after(int failures);

// Any thread. Only its own thread, "nemo-google", talks to Google. Destroyed, it gives up a running exchange at once;
// nobody may be in token() or renew() then.
class GoogleTokenSource final : public TokenSource {
 public:
  struct Options {
    std::string origin;       // of the credentials, for people
    std::string token_url;    // in place of Google's endpoint
    std::string ca_file;      // PEM, for the token endpoint; empty: the system's
    Millis patience{10'000};  // how long token() and renew() wait, and an exchange lasts, at most
    // Looks for the credentials again after Google refused them: somebody may have logged in. May be empty.
    std::function<Result<Credentials>()> find_again;
  };
  // `transport` and `clock` outlive it. Fetches the first token at once.
  GoogleTokenSource(Transport& transport, const Clock& clock, Credentials credentials, Options options);
  ~GoogleTokenSource() override;
  GoogleTokenSource(const GoogleTokenSource&) = delete;
  GoogleTokenSource& operator=(const GoogleTokenSource&) = delete;

  // Before the first token: waits until the fetch that runs has ended. With one: at once, also while renewing fails;
  // an error only when it has ended and there is no other.
  Result<Secret> token() override;
  Result<Secret> renew(const Secret& refused) override;

  // Has its thread look at the clock again, as it does by itself twice a minute. For clocks that are moved by hand.
  void look_at_clock();

 private:
  struct Held {
    Secret text;
    SteadyTime ends;
  };
  struct Reply {
    int status = 0;
    std::string body;
    std::optional<WallTime> date;
  };

  void run();
  SteadyTime next_fetch() const;
  void note(Result<Grant> answer, SteadyTime asked_at, WallTime asked_at_wall);
  Result<Grant> try_to_fetch();
  Result<Grant> fetch();
  Result<Reply> ask(WallTime issued_at);
  bool correct_clock(const Reply& reply);
  Error refused(const Reply& reply);

  Transport& m_transport;
  const Clock& m_clock;
  const Options m_options;

  // Of its own thread.
  Credentials m_credentials;
  bool m_find_again = false;
  std::chrono::seconds m_clock_error{0};  // what has to be added to our clock to have Google's

  std::mutex m_mutex;
  std::condition_variable m_wake;  // to its thread
  std::condition_variable m_news;  // to those who wait for a fetch
  std::optional<Held> m_held;
  std::optional<Error> m_failure;  // of the last fetch
  std::uint64_t m_fetches = 0;     // that have ended
  int m_failures = 0;              // in a row
  SteadyTime m_due;                // the next fetch, by either clock, or earlier when it is wanted
  WallTime m_due_wall;
  SteadyTime m_wanted_from;  // a fetch that is wanted does not begin before
  bool m_fetching = false;
  bool m_wanted = false;
  bool m_stop = false;

  // A pair whose far end is closed on stop: to an exchange that looks like a client that left, and ends its waiting.
  FileDescriptor m_near;
  FileDescriptor m_far;
  std::thread m_thread;
};

}  // namespace nemo::upstream::google
