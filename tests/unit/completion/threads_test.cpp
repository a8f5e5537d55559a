// Memory and running answers under many threads; ThreadSanitizer looks on.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/completion/latest_wins.h"
#include "daemon/completion/memory.h"

namespace nemo::test::threads_test {

using namespace nemo;
using namespace nemo::completion;

namespace {

class WaitingBell final : public Bell {
 public:
  void ring() noexcept override {
    const std::lock_guard lock(m_mutex);
    m_rung = true;
    m_changed.notify_one();
  }
  void wait() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_rung; });
    m_rung = false;
  }

 private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  bool m_rung = false;
};

const std::string k_answer = "one two three four five six seven eight nine ten";

// One client: asks, and leads, follows or takes what is known. Whether it got the right text.
bool ask(Memory& memory, LatestWins& latest, int question, std::size_t typed, std::atomic<int>& leads) {
  WaitingBell bell;
  auto asked = std::make_shared<Asked>();
  asked->has_hole = true;
  asked->seat = "ann";
  asked->prefix = "question " + std::to_string(question) + ": " + k_answer.substr(0, typed);
  const auto place = latest.enter("caller", asked, LatestWins::Held::no, [] {});
  auto joined = memory.join(asked, WallTime{}, bell);
  const std::string wanted = k_answer.substr(typed);
  if (const auto* rest = std::get_if<Memory::Rest>(&joined)) return rest->text == wanted;
  if (auto* following = std::get_if<Following>(&joined)) {
    place->reads_along(following->answer(), following->typed());
    std::string text;
    for (;;) {
      switch (following->take(text)) {
        case Following::Heard::more:
          place->look_again();
          break;
        case Following::Heard::nothing:
          bell.wait();
          break;
        case Following::Heard::ended:
          return text == wanted;
        case Following::Heard::disagrees:
        case Following::Heard::broken:
          return false;
      }
    }
  }
  ++leads;
  const auto& lead = std::get<std::shared_ptr<Lead>>(joined);
  place->is_answered_by(lead->answer());
  for (std::size_t at = 0; at < wanted.size(); at += 5) {
    lead->append(wanted.substr(at, 5));
    place->look_again();
    std::this_thread::yield();
  }
  lead->end(Ending::by_itself, WallTime(Micros(1)));
  return true;
}

}  // namespace

TEST_CASE("many at once get the right text, whoever leads") {
  constexpr int k_questions = 40;
  Memory memory;
  LatestWins latest;
  std::atomic<int> leads{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < 6; ++client) {
    clients.emplace_back([&, client] {
      for (int question = 0; question < k_questions; ++question) {
        if (!ask(memory, latest, question, client % 2 == 0 ? 0 : 3, leads)) ++wrong;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(wrong == 0);
  CHECK(leads >= k_questions);
  CHECK(leads <= 2 * k_questions);  // one that has typed ahead may come first, and the others cannot use its answer
}

}  // namespace nemo::test::threads_test
