#include "daemon/completion/memory.h"

#include <algorithm>
#include <utility>

namespace nemo::completion {

Lead::Lead(Memory* memory, std::shared_ptr<const Asked> asked) : m_memory(memory), m_asked(std::move(asked)) {}

Lead::~Lead() {
  if (m_over) return;
  leave();
  m_answer->abandon();
}

// Those who read along already go on; nobody new does.
void Lead::leave() {
  if (m_memory != nullptr) std::exchange(m_memory, nullptr)->forget(*m_asked, m_answer.get());
}

void Lead::append(std::string_view text) {
  m_length += text.size();
  if (m_length > k_longest_answer) leave();
  // Without anybody who reads it, or may remember it, nothing piles up.
  if (m_length <= k_longest_answer || m_answer->is_followed()) m_answer->append(text);
}

void Lead::end(Ending ending, WallTime now, Keep keep) {
  if (std::exchange(m_over, true)) return;
  if (m_memory != nullptr && m_length > 0 && keep == Keep::yes) {
    auto remembered = std::make_shared<Remembered>();
    remembered->asked = *m_asked;
    remembered->answer = m_answer->text();
    remembered->ending = ending;
    remembered->model = m_answer->model();
    remembered->at = now;
    std::exchange(m_memory, nullptr)->keep(std::move(remembered), m_answer.get());
  }
  leave();
  m_answer->end(ending);
}

Memory::Found Memory::look(State& state, const Asked& asked, WallTime oldest, Bell& bell) {
  if (!asked.may_share) return std::monostate();
  const auto found = state.seats.find(asked.seat);
  if (found == state.seats.end()) return std::monostate();
  found->second.forget_before(oldest);
  if (const auto match = found->second.find(asked, oldest)) {
    const std::string& answer = match->kept->answer;
    const std::size_t size = answer.size() - match->typed - match->inserted;
    return Rest{answer.substr(match->typed, size), match->kept->ending, match->kept->model};
  }
  if (auto match = found->second.find_running(asked)) {
    return Following(std::move(match->answer), std::move(match->typed), bell);
  }
  return std::monostate();
}

Memory::Found Memory::find(const Asked& asked, WallTime oldest, Bell& bell) {
  return m_state.with([&](State& state) { return look(state, asked, oldest, bell); });
}

Memory::Joined Memory::join(const std::shared_ptr<const Asked>& asked, WallTime oldest, Bell& bell) {
  return m_state.with([&](State& state) -> Joined {
    Found found = look(state, *asked, oldest, bell);
    if (auto* rest = std::get_if<Rest>(&found)) return std::move(*rest);
    if (auto* following = std::get_if<Following>(&found)) return Joined(std::move(*following));
    const bool is_kept =
        asked->may_share && asked->prefix.size() + asked->suffix.size() + asked->terms.size() <= k_longest_prompt;
    auto lead = std::make_shared<Lead>(is_kept ? this : nullptr, asked);
    if (is_kept) seat(state, asked->seat).begin(asked, lead->answer());
    return lead;
  });
}

// There is room for it; it becomes the newest.
SeatMemory& Memory::seat(State& state, const std::string& name) {
  const auto found = state.seats.find(name);
  if (found != state.seats.end()) {
    state.by_age.splice(state.by_age.end(), state.by_age, std::find(state.by_age.begin(), state.by_age.end(), name));
    return found->second;
  }
  if (state.seats.size() == k_most_seats) {
    state.seats.erase(state.by_age.front());
    state.by_age.pop_front();
  }
  state.by_age.push_back(name);
  return state.seats[name];
}

void Memory::keep(std::shared_ptr<const Remembered> remembered, const RunningAnswer* running) {
  m_state.with([&](State& state) {
    SeatMemory& mine = seat(state, remembered->asked.seat);
    mine.keep(remembered);
    mine.end(running);
  });
  if (m_store != nullptr) m_store->save(std::move(remembered));
}

void Memory::forget(const Asked& asked, const RunningAnswer* running) {
  m_state.with([&](State& state) {
    const auto found = state.seats.find(asked.seat);
    if (found != state.seats.end()) found->second.end(running);
  });
}

void Memory::recall(Remembered remembered) {
  m_state.with([&](State& state) {
    const std::string name = remembered.asked.seat;
    seat(state, name).keep(std::make_shared<const Remembered>(std::move(remembered)));
  });
}

void Memory::clear() {
  m_state.with([](State& state) { state = {}; });
}

}  // namespace nemo::completion
