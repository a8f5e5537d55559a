#include "daemon/completion/acceptance.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace nemo::completion {
namespace {

constexpr std::size_t k_most_payers = 4'096;          // more than one daemon has seats
constexpr std::size_t k_most_suggestions = 8;         // a payer; more than the prompts that are waited for
constexpr std::size_t k_longest_text = 4U << 10;      // of a suggestion
constexpr std::size_t k_longest_prompt = 256U << 10;  // its end: what was taken stands right before the cursor
constexpr int k_most_prompts = 5;
constexpr std::chrono::minutes k_longest_wait{2};
constexpr std::size_t k_telling = 3;  // characters: fewer, like "}" or ");", stand in every prompt

constexpr std::string_view k_space = " \t\r\n\v\f";

std::string_view without_space_before(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(k_space), text.size()));
}

std::string_view without_space_behind(std::string_view text) {
  return text.substr(0, text.find_last_not_of(k_space) + 1);
}

// Of UTF-8: bytes that do not continue a character.
std::size_t count_characters(std::string_view text) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

// Editors end lines as the file does, models with a line feed.
std::string without_carriage_returns(std::string_view text) {
  std::string out(text);
  out.erase(std::remove(out.begin(), out.end(), '\r'), out.end());
  return out;
}

// Empty: the text is blank.
std::string beginning_of(std::string_view text) {
  text = without_space_before(text.substr(0, k_longest_text));
  std::size_t end = std::min(text.find('\n'), text.size());
  if (count_characters(without_space_behind(text.substr(0, end))) < k_telling) {
    const std::size_t next = text.find_first_not_of(k_space, end);
    end = std::min(text.find('\n', std::min(next, text.size())), text.size());
  }
  return without_carriage_returns(without_space_behind(text.substr(0, end)));
}

// Where beginnings are looked for.
class Prompt {
 public:
  explicit Prompt(std::string_view text) : m_text(text.substr(text.size() - std::min(text.size(), k_longest_prompt))) {
    if (m_text.find('\r') == std::string_view::npos) return;
    m_copy = without_carriage_returns(m_text);
    m_text = m_copy;
  }
  Prompt(const Prompt&) = delete;
  Prompt& operator=(const Prompt&) = delete;

  bool has(std::string_view beginning) const { return m_text.find(beginning) != std::string_view::npos; }

 private:
  std::string m_copy;
  std::string_view m_text;
};

}  // namespace

void Acceptance::suggested(const std::string& payer, const std::string& call_id, std::string_view text,
                           std::string_view prompt, SteadyTime now) {
  std::string beginning = beginning_of(text);
  if (beginning.empty() || Prompt(prompt).has(beginning)) return;
  m_state.with([&](State& state) {
    Suggestions& pending = newest(state, payer).pending;
    pending.push_back({call_id, std::move(beginning), now});
    forget_oldest(pending);
  });
}

std::vector<Verdict> Acceptance::observe(const std::string& payer, std::string_view prompt, SteadyTime now) {
  Suggestions pending = take(payer);
  if (pending.empty()) return {};
  const Prompt seen(prompt);
  std::vector<Verdict> verdicts;
  Suggestions undecided;
  for (Suggestion& suggestion : pending) {
    const bool is_late = now - suggestion.at > k_longest_wait;
    if (!is_late && seen.has(suggestion.beginning)) {
      verdicts.push_back({std::move(suggestion.call_id), true});
    } else if (is_late || ++suggestion.prompts_without == k_most_prompts) {
      verdicts.push_back({std::move(suggestion.call_id), false});
    } else {
      undecided.push_back(std::move(suggestion));
    }
  }
  put_back(payer, std::move(undecided));
  return verdicts;
}

// The payer, which has just suggested something; there is room for it.
Acceptance::Payer& Acceptance::newest(State& state, const std::string& name) {
  const auto found = state.payers.find(name);
  if (found != state.payers.end()) {
    state.by_age.splice(state.by_age.end(), state.by_age, found->second.place);
    return found->second;
  }
  if (state.payers.size() == k_most_payers) {
    state.payers.erase(state.by_age.front());
    state.by_age.pop_front();
  }
  state.by_age.push_back(name);
  return state.payers.emplace(name, Payer{{}, std::prev(state.by_age.end())}).first->second;
}

void Acceptance::forget_oldest(Suggestions& pending) {
  while (pending.size() > k_most_suggestions) pending.pop_front();
}

// So that prompts are searched without the lock. The payer keeps its place until its suggestions come back.
Acceptance::Suggestions Acceptance::take(const std::string& payer) {
  return m_state.with([&](State& state) {
    const auto found = state.payers.find(payer);
    return found == state.payers.end() ? Suggestions() : std::exchange(found->second.pending, {});
  });
}

void Acceptance::put_back(const std::string& payer, Suggestions undecided) {
  m_state.with([&](State& state) {
    const auto found = state.payers.find(payer);
    if (found == state.payers.end()) return;  // forgotten meanwhile
    Suggestions& pending = found->second.pending;
    pending.insert(pending.begin(), std::make_move_iterator(undecided.begin()),
                   std::make_move_iterator(undecided.end()));
    forget_oldest(pending);
    if (!pending.empty()) return;
    state.by_age.erase(found->second.place);
    state.payers.erase(found);
  });
}

}  // namespace nemo::completion
