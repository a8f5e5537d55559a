#include "daemon/completion/acceptance.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

#include "daemon/completion/matching.h"

namespace nemo::completion {
namespace {

constexpr std::size_t k_most_seats = 1'024;       // more than one daemon has
constexpr std::size_t k_most_suggestions = 8;     // a seat; more than the prompts that are waited for
constexpr std::size_t k_longest_text = 2U << 10;  // of a suggestion
constexpr std::size_t k_compared = 1U << 10;  // of the text before a cursor: two such windows are never alike by chance
static_assert(k_compared >= k_least_overlap);
constexpr std::size_t k_longest_before = k_compared + 2 * k_most_added;  // so that it is found behind what was added
constexpr std::size_t k_longest_behind = 512;
static_assert(k_longest_behind - k_longest_insertion >= k_least_suffix_overlap);
constexpr int k_most_prompts = 5;
constexpr std::chrono::minutes k_longest_wait{2};

constexpr std::string_view k_space = " \t\n\v\f";

std::string_view without_space_before(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(k_space), text.size()));
}

std::string_view without_space(std::string_view text) {
  return without_space_before(text.substr(0, text.find_last_not_of(k_space) + 1));
}

// Editors end lines as the file does, models with a line feed.
void remove_carriage_returns(std::string& text) {
  text.erase(std::remove(text.begin(), text.end(), '\r'), text.end());
}

// Of UTF-8: bytes that do not continue a character.
std::size_t count_characters(std::string_view text) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

// Where the text behind `older`'s place begins in newer.before; nullopt: it is another place.
std::optional<std::size_t> find_behind(const Around& older, const Around& newer) {
  const std::string_view known =
      std::string_view(older.before).substr(older.before.size() - std::min(older.before.size(), k_compared));
  const std::string_view text = newer.before;
  // Not cut by the client, or not yet.
  const std::size_t cut = newer.size - text.size();
  if (older.size >= known.size() + cut && older.size - cut <= text.size()) {
    const std::size_t at = older.size - cut - known.size();
    if (text.substr(at, known.size()) == known) return at + known.size();
  }
  if (known.size() < k_least_overlap) return std::nullopt;
  const std::size_t at = text.find(known);
  if (at == std::string_view::npos || text.find(known, at + 1) != std::string_view::npos) return std::nullopt;
  return at + known.size();
}

// What was added between the two; nullopt: they are about different places, or the cursor was only moved.
std::optional<std::string_view> find_added(const Around& older, const Around& newer) {
  const auto behind = find_behind(older, newer);
  if (!behind || !suffixes_nearly_agree(older.behind, newer.behind)) return std::nullopt;
  const std::string_view added = std::string_view(newer.before).substr(*behind);
  const std::string_view passed = std::string_view(older.behind).substr(0, added.size());
  const bool is_moved = !added.empty() && passed == added &&
                        suffixes_agree(std::string_view(older.behind).substr(added.size()), newer.behind);
  return is_moved ? std::nullopt : std::optional(added);
}

// Whether the rest of a suggestion stands behind the cursor by now.
bool stands_behind(std::string_view rest, const Around& older, const Around& newer) {
  return find_insertion(older.behind, newer.behind, rest) == rest.size();
}

// Of what agrees, what counts when something else follows.
std::size_t whole_lines(std::string_view agreed) {
  const std::size_t end = agreed.rfind('\n');
  return end == std::string_view::npos ? 0 : end;
}

}  // namespace

Around::Around(std::string_view prefix, std::string_view suffix)
    : size(prefix.size() - static_cast<std::size_t>(std::count(prefix.begin(), prefix.end(), '\r'))) {
  // A line has at most one carriage return: twice as much holds enough without them.
  before = prefix.substr(prefix.size() - std::min(prefix.size(), 2 * k_longest_before));
  remove_carriage_returns(before);
  before.erase(0, before.size() - std::min(before.size(), k_longest_before));
  behind = suffix.substr(0, 2 * k_longest_behind);
  remove_carriage_returns(behind);
  behind.resize(std::min(behind.size(), k_longest_behind));
}

std::size_t Acceptance::suggested(const std::string& seat, const std::string& call_id, std::string_view text,
                                  Around around, SteadyTime now) {
  std::string shown(text.substr(0, k_longest_text));
  remove_carriage_returns(shown);
  const std::size_t size = without_space(shown).size();
  if (size == 0) return 0;
  return m_state.with([&](State& state) -> std::size_t {
    Suggestions& pending = newest(state, seat).pending;
    Suggestion suggestion{call_id, std::move(shown), std::move(around), now};
    for (const Suggestion& other : pending) {
      // The one that ended first may be the one that began later.
      if (is_rest_of(other, suggestion.text, suggestion.around)) return 0;
      if (is_rest_of(suggestion, other.text, other.around)) return 0;
    }
    pending.push_back(std::move(suggestion));
    forget_oldest(pending);
    return size;
  });
}

bool Acceptance::is_rest_of(const Suggestion& shown, std::string_view text, const Around& around) {
  const auto added = find_added(shown.around, around);
  if (!added) return false;
  const std::string_view all = without_space(shown.text);
  std::string both(*added);
  both.append(text);
  const std::string_view again = without_space(both);
  if (all.size() == again.size()) return all == again;
  if (all.size() < again.size()) return shown.text.size() == k_longest_text && again.starts_with(all);  // it was cut
  // It goes without what the editor has put behind the cursor.
  return all.starts_with(again) && stands_behind(all.substr(again.size()), shown.around, around);
}

// Notes how much of it stands in the text.
Acceptance::Progress Acceptance::advance(Suggestion& suggestion, const Around& prompt) {
  const auto found = find_added(suggestion.around, prompt);
  if (!found) return Progress::elsewhere;
  const std::string_view all = without_space(suggestion.text);
  const std::string_view added = without_space_before(*found);
  std::size_t stands = common_beginning(all, added);
  std::size_t counted = stands;
  Progress progress = Progress::along;
  if (stands == all.size() || stands_behind(all.substr(stands), suggestion.around, prompt)) {
    progress = Progress::whole;
    stands = counted = all.size();
  } else if (stands < added.size()) {
    progress = Progress::departed;
    counted = whole_lines(all.substr(0, stands));
  }
  const std::size_t had = std::exchange(suggestion.reached, std::max(suggestion.reached, stands));
  if (counted > had) {
    const bool at_once = count_characters(all.substr(had, counted - had)) >= k_least_taken;
    if (at_once || (had == 0 && progress == Progress::whole)) suggestion.accepted = counted;
  }
  suggestion.accepted = std::min(suggestion.accepted, stands);
  return progress;
}

std::vector<Verdict> Acceptance::observe(const std::string& seat, const Around& prompt, SteadyTime now) {
  Suggestions pending = take(seat);
  if (pending.empty()) return {};
  std::vector<Verdict> verdicts;
  Suggestions undecided;
  for (Suggestion& suggestion : pending) {
    bool is_over = now - suggestion.at > k_longest_wait;
    if (!is_over) {
      const Progress progress = advance(suggestion, prompt);
      if (progress == Progress::elsewhere || progress == Progress::departed) ++suggestion.prompts_without;
      is_over = progress == Progress::whole || suggestion.prompts_without == k_most_prompts;
    }
    if (is_over) {
      verdicts.push_back({std::move(suggestion.call_id), suggestion.accepted});
    } else {
      undecided.push_back(std::move(suggestion));
    }
  }
  put_back(seat, std::move(undecided));
  return verdicts;
}

// The seat, which has just been suggested something; there is room for it.
Acceptance::Seat& Acceptance::newest(State& state, const std::string& name) {
  const auto found = state.seats.find(name);
  if (found != state.seats.end()) {
    state.by_age.splice(state.by_age.end(), state.by_age, found->second.place);
    return found->second;
  }
  if (state.seats.size() == k_most_seats) {
    state.seats.erase(state.by_age.front());
    state.by_age.pop_front();
  }
  state.by_age.push_back(name);
  return state.seats.emplace(name, Seat{{}, std::prev(state.by_age.end())}).first->second;
}

void Acceptance::forget_oldest(Suggestions& pending) {
  while (pending.size() > k_most_suggestions) pending.pop_front();
}

// So that prompts are compared without the lock. The seat keeps its place until its suggestions come back.
Acceptance::Suggestions Acceptance::take(const std::string& seat) {
  return m_state.with([&](State& state) {
    const auto found = state.seats.find(seat);
    return found == state.seats.end() ? Suggestions() : std::exchange(found->second.pending, {});
  });
}

void Acceptance::put_back(const std::string& seat, Suggestions undecided) {
  m_state.with([&](State& state) {
    const auto found = state.seats.find(seat);
    if (found == state.seats.end()) return;  // forgotten meanwhile
    Suggestions& pending = found->second.pending;
    pending.insert(pending.begin(), std::make_move_iterator(undecided.begin()),
                   std::make_move_iterator(undecided.end()));
    forget_oldest(pending);
    if (!pending.empty()) return;
    state.by_age.erase(found->second.place);
    state.seats.erase(found);
  });
}

}  // namespace nemo::completion
