// An answer that is still coming, and those who read along.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/completion/asked.h"
#include "shared/guarded.h"

namespace nemo::completion {

class Following;

// Any thread. What its leader hears is there for all.
class RunningAnswer {
 public:
  enum class Progress : std::uint8_t { running, ended, broken };

  void append(std::string_view text);
  void end(Ending ending);
  void abandon();  // nobody will say how it goes on; nothing once it has ended
  void answered_by(std::string model);

  bool is_followed() const;
  // The leader's client has left. False: nobody reads along. True: goes on for the others, and `deserted` is called
  // once, on the thread of whoever leaves last, when nobody is left.
  bool stay(std::function<void()> deserted);

  std::string text() const;
  std::string model() const;  // empty: not known yet
  // Whether what was typed after the question could still become, or is, the beginning of this answer.
  bool could_begin_with(std::string_view typed) const;

 private:
  friend class Following;
  struct State {
    std::string text;
    std::string model;
    Progress progress = Progress::running;
    Ending ending = Ending::by_itself;
    std::vector<Bell*> readers;
    std::function<void()> deserted;
  };
  static void ring(const State& state);

  Guarded<State> m_state;
};

// Reads along with an answer from where the typed text ends. Held by one thread; the bell, which outlives it, rings
// when there is more to take. Going, it leaves the answer.
class Following {
 public:
  Following(std::shared_ptr<RunningAnswer> answer, std::string typed, Bell& bell);
  ~Following();
  Following(Following&& other) noexcept = default;
  Following& operator=(Following&&) = delete;

  enum class Heard : std::uint8_t {
    more,       // something was appended
    nothing,    // not yet: wait for the bell
    ended,      // all of it has been taken; see ending()
    disagrees,  // it is not what was typed, or nothing is left beyond it. Never after `more`
    broken,     // its leader gave up
  };
  Heard take(std::string& out);
  Ending ending() const { return m_ending; }
  std::string model() const { return m_answer->model(); }
  const std::shared_ptr<RunningAnswer>& answer() const { return m_answer; }
  const std::string& typed() const { return m_typed; }

 private:
  std::shared_ptr<RunningAnswer> m_answer;
  std::string m_typed;  // has yet to be said by the answer, from m_at on
  Bell* m_bell;
  std::size_t m_at = 0;  // of the answer: so far it was compared or taken
  Ending m_ending = Ending::by_itself;
};

}  // namespace nemo::completion
