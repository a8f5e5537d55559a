// Owns: telling a webhook of passed budget thresholds. Must not know: how they are found, calls, SQL.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "daemon/budget/book.h"
#include "daemon/upstream/transport.h"
#include "shared/file_descriptor.h"

namespace nemo::exporters {

// What is posted: a JSON object with "text" for people (chat services show it as it is) and the facts beside it.
std::string alert_body(const budget::Crossing& crossing);

// Any thread. Posts from a thread of its own, which begins with the first alert. An alert that the webhook does not
// take in three tries is dropped with a warning: it is in the database all the same.
class AlertWebhook {
 public:
  explicit AlertWebhook(upstream::Transport& transport);
  ~AlertWebhook();  // what waits is dropped
  AlertWebhook(const AlertWebhook&) = delete;
  AlertWebhook& operator=(const AlertWebhook&) = delete;

  void offer(const std::string& url, const budget::Crossing& crossing);

 private:
  struct Post {
    std::string url;
    std::string body;
  };
  void run();
  bool send(const Post& post);
  bool wait_before_retry(int tries);

  upstream::Transport& m_transport;
  FileDescriptor m_watched;  // a post under way ends when the other end is closed
  FileDescriptor m_stopper;
  std::mutex m_mutex;
  std::condition_variable m_wake;
  std::deque<Post> m_queue;
  bool m_stop = false;
  std::thread m_thread;
};

}  // namespace nemo::exporters
