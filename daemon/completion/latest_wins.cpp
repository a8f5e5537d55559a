#include "daemon/completion/latest_wins.h"

#include <algorithm>
#include <utility>

#include "daemon/completion/matching.h"

namespace nemo::completion {

// Guarded by LatestWins::m_calls.
struct LatestWins::Place::Call {
  std::string caller;
  std::shared_ptr<const Asked> asked;
  std::function<void()> tell_superseded;
  std::shared_ptr<RunningAnswer> answer;  // null: not yet
  std::string typed;                      // the beginning of it that the prefix has already
  bool reads_along = false;               // it is somebody else's
  std::vector<std::string> typed_since;   // by newer ones, which the answer could still agree with
  bool held = false;
  bool superseded = false;
  bool overtaken = false;
  bool beaten = false;  // to be superseded as soon as nobody reads along

  bool agrees_with(const std::string& typed_since_then) const {
    return !answer || answer->could_begin_with(typed + typed_since_then);
  }
  // False: it is already, or others read along.
  bool supersede() {
    beaten = true;
    if (superseded || (answer && !reads_along && answer->is_followed())) return false;
    superseded = true;
    return true;
  }
};

namespace {
constexpr std::size_t k_most_typed_since = 64;  // keystrokes during one answer
}

std::unique_ptr<LatestWins::Place> LatestWins::enter(std::string caller, std::shared_ptr<const Asked> asked, Held held,
                                                     std::function<void()> superseded) {
  auto call = std::make_shared<Place::Call>();
  call->caller = std::move(caller);
  call->asked = std::move(asked);
  call->held = held == Held::yes;
  call->tell_superseded = std::move(superseded);
  tell(m_calls.with([&](Calls& calls) {
    Calls beaten = contest(calls, *call);
    if (calls.size() < k_most_calls) calls.push_back(call);
    return beaten;
  }));
  return std::unique_ptr<Place>(new Place(*this, std::move(call)));
}

void LatestWins::tell(const Calls& superseded) {
  for (const auto& call : superseded) call->tell_superseded();
}

// All before `newer` are older; when it is not among them all are.
LatestWins::Calls LatestWins::contest(const Calls& calls, const Place::Call& newer) {
  Calls beaten;
  for (const auto& older : calls) {
    if (older.get() == &newer) break;
    if (older->superseded || older->caller != newer.caller) continue;
    const auto step = find_step(*older->asked, *newer.asked);
    if (!step || step->is_identical) continue;
    older->overtaken = true;
    const std::string typed(step->typed);
    const bool agrees = !older->held && step->taken_back == 0 && (typed.empty() || older->agrees_with(typed));
    if (!agrees) {
      if (older->supersede()) beaten.push_back(older);
    } else if (!typed.empty() && older->typed_since.size() < k_most_typed_since) {
      older->typed_since.push_back(typed);
    }
  }
  return beaten;
}

// It may have been the last who read along with a call that is beaten.
LatestWins::Place::~Place() {
  tell(m_owner.m_calls.with([&](Calls& calls) {
    std::erase(calls, m_call);
    Calls beaten;
    if (!m_call->reads_along) return beaten;
    for (const auto& call : calls) {
      if (call->beaten && call->supersede()) beaten.push_back(call);
    }
    return beaten;
  }));
}

void LatestWins::Place::is_answered_by(std::shared_ptr<RunningAnswer> answer) {
  m_owner.m_calls.with([&](Calls&) {
    m_call->held = false;
    m_call->answer = std::move(answer);
    m_call->typed.clear();
    m_call->reads_along = false;
  });
}

void LatestWins::Place::reads_along(std::shared_ptr<RunningAnswer> answer, std::string typed) {
  m_owner.m_calls.with([&](Calls&) {
    m_call->held = false;
    m_call->answer = std::move(answer);
    m_call->typed = std::move(typed);
    m_call->reads_along = true;
  });
}

void LatestWins::Place::look_again() {
  const bool is_beaten = m_owner.m_calls.with([&](Calls&) {
    if (m_call->typed_since.empty() || !m_call->answer) return false;
    const auto disagrees = [&](const std::string& typed) { return !m_call->agrees_with(typed); };
    const bool any = std::any_of(m_call->typed_since.begin(), m_call->typed_since.end(), disagrees);
    return any && m_call->supersede();
  });
  if (is_beaten) m_call->tell_superseded();
}

void LatestWins::Place::contest() {
  tell(m_owner.m_calls.with([&](Calls& calls) { return LatestWins::contest(calls, *m_call); }));
}

bool LatestWins::Place::is_superseded() const {
  return m_owner.m_calls.with([&](const Calls&) { return m_call->superseded; });
}

bool LatestWins::Place::is_overtaken() const {
  return m_owner.m_calls.with([&](const Calls&) { return m_call->overtaken; });
}

}  // namespace nemo::completion
