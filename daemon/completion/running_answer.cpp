#include "daemon/completion/running_answer.h"

#include <algorithm>
#include <utility>

namespace nemo::completion {

void RunningAnswer::ring(const State& state) {
  for (Bell* reader : state.readers) reader->ring();
}

void RunningAnswer::append(std::string_view text) {
  if (text.empty()) return;
  m_state.with([&](State& state) {
    state.text.append(text);
    ring(state);
  });
}

void RunningAnswer::end(Ending ending) {
  m_state.with([&](State& state) {
    if (state.progress != Progress::running) return;
    state.progress = Progress::ended;
    state.ending = ending;
    ring(state);
  });
}

void RunningAnswer::abandon() {
  m_state.with([&](State& state) {
    if (state.progress != Progress::running) return;
    state.progress = Progress::broken;
    ring(state);
  });
}

void RunningAnswer::answered_by(std::string model) {
  m_state.with([&](State& state) { state.model = std::move(model); });
}

bool RunningAnswer::is_followed() const {
  return m_state.with([](const State& state) { return !state.readers.empty(); });
}

bool RunningAnswer::stay(std::function<void()> deserted) {
  return m_state.with([&](State& state) {
    if (state.readers.empty()) return false;
    state.deserted = std::move(deserted);
    return true;
  });
}

std::string RunningAnswer::text() const {
  return m_state.with([](const State& state) { return state.text; });
}

std::string RunningAnswer::model() const {
  return m_state.with([](const State& state) { return state.model; });
}

bool RunningAnswer::could_begin_with(std::string_view typed) const {
  return m_state.with([&](const State& state) {
    if (state.text.size() > typed.size()) return state.text.starts_with(typed);
    return state.progress == Progress::running && typed.starts_with(state.text);
  });
}

Following::Following(std::shared_ptr<RunningAnswer> answer, std::string typed, Bell& bell)
    : m_answer(std::move(answer)), m_typed(std::move(typed)), m_bell(&bell) {
  m_answer->m_state.with([&](RunningAnswer::State& state) { state.readers.push_back(m_bell); });
}

Following::~Following() {
  if (!m_answer) return;
  std::function<void()> deserted;
  m_answer->m_state.with([&](RunningAnswer::State& state) {
    const auto mine = std::find(state.readers.begin(), state.readers.end(), m_bell);
    if (mine != state.readers.end()) state.readers.erase(mine);
    if (state.readers.empty()) deserted = std::exchange(state.deserted, nullptr);
  });
  if (deserted) deserted();
}

Following::Heard Following::take(std::string& out) {
  return m_answer->m_state.with([&](const RunningAnswer::State& state) {
    using Progress = RunningAnswer::Progress;
    const std::string& text = state.text;
    if (m_at < m_typed.size()) {
      const std::size_t known = std::min(text.size(), m_typed.size());
      if (text.compare(m_at, known - m_at, m_typed, m_at, known - m_at) != 0) return Heard::disagrees;
      m_at = known;
    }
    if (m_at >= m_typed.size() && m_at < text.size()) {
      out.append(text, m_at);
      m_at = text.size();
      return Heard::more;
    }
    if (state.progress == Progress::broken) return Heard::broken;
    if (state.progress == Progress::running) return Heard::nothing;
    m_ending = state.ending;
    return m_at > m_typed.size() ? Heard::ended : Heard::disagrees;
  });
}

}  // namespace nemo::completion
