#include "daemon/completion/seat_memory.h"

#include <algorithm>
#include <utility>

#include "daemon/completion/matching.h"

namespace nemo::completion {
namespace {

constexpr std::uint64_t k_base = 0x9E3779B97F4A7C15ULL;

constexpr std::uint64_t power(std::uint64_t base, std::size_t exponent) {
  std::uint64_t result = 1;
  for (std::size_t i = 0; i < exponent; ++i) result *= base;
  return result;
}

std::uint64_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]) + 1U;
}

// The sum of byte[i] * k_base^i: so that a window can be moved to the left.
std::uint64_t hash_of(std::string_view window) {
  std::uint64_t hash = 0;
  for (std::size_t i = window.size(); i-- > 0;) hash = hash * k_base + byte_at(window, i);
  return hash;
}

std::size_t weight_of(const Remembered& remembered) {
  return remembered.asked.prefix.size() + remembered.asked.suffix.size() + remembered.asked.terms.size() +
         remembered.answer.size();
}

bool is_same_question(const Asked& one, const Asked& other) {
  return one.prefix == other.prefix && one.suffix == other.suffix && one.terms == other.terms;
}

// What was typed shows that somebody reads the answer; a request that is merely equal may be any program's.
bool takes_equal(const Asked& asked) {
  return asked.has_hole && asked.is_steady;
}

}  // namespace

// One search: what fits so far.
class SeatMemory::Search {
 public:
  Search(const Asked& asked, WallTime oldest) : m_asked(asked), m_oldest(oldest) {}

  bool is_exhausted() const { return m_looked_at >= k_most_looked_at; }

  void look_at(const Entry& entry, std::size_t typed) {
    ++m_looked_at;
    const Remembered& kept = *entry.kept;
    if (kept.at < m_oldest || typed >= kept.answer.size() || kept.asked.terms != m_asked.terms) return;
    if (typed == 0 && !takes_equal(m_asked)) return;
    const std::string_view prefix = m_asked.prefix;
    if (typed > prefix.size()) return;
    const std::string_view typed_text = prefix.substr(prefix.size() - typed);
    if (!std::string_view(kept.answer).starts_with(typed_text)) return;
    const Agreement agreement = prefixes_agree(kept.asked.prefix, prefix.substr(0, prefix.size() - typed));
    if (agreement == Agreement::none) return;
    const std::string_view rest = std::string_view(kept.answer).substr(typed);
    const auto inserted = find_insertion(kept.asked.suffix, m_asked.suffix, rest);
    if (!inserted || *inserted >= rest.size()) return;
    if (*inserted > 0 && kept.ending != Ending::by_itself) return;
    add({{entry.kept, typed, *inserted}, entry.number, agreement, 1});
  }

  std::optional<Match> best() const {
    const Candidate* best = nullptr;
    for (const Candidate& one : m_candidates) {
      if (one.agreement == Agreement::cut && one.ways > 1) continue;
      if (best == nullptr || is_better(one, *best)) best = &one;
    }
    return best == nullptr ? std::nullopt : std::optional<Match>(best->match);
  }

 private:
  struct Candidate {
    Match match;
    std::uint64_t number;
    Agreement agreement;
    int ways;  // in which it fits as a cut one
  };

  static bool is_better(const Candidate& one, const Candidate& other) {
    if (one.agreement != other.agreement) return one.agreement == Agreement::whole;
    return one.number > other.number;
  }

  void add(Candidate candidate) {
    const auto known = std::find_if(m_candidates.begin(), m_candidates.end(),
                                    [&](const Candidate& one) { return one.number == candidate.number; });
    if (known == m_candidates.end()) {
      m_candidates.push_back(std::move(candidate));
    } else if (candidate.agreement == Agreement::whole) {
      *known = std::move(candidate);
    } else {
      ++known->ways;  // counts only where no uncut one is known
    }
  }

  const Asked& m_asked;
  WallTime m_oldest;
  std::vector<Candidate> m_candidates;
  std::size_t m_looked_at = 0;
};

SeatMemory::SeatMemory() : m_filter(k_filter_size, 0) {}

std::optional<SeatMemory::Match> SeatMemory::find(const Asked& asked, WallTime oldest) const {
  if (m_kept.empty()) return std::nullopt;
  Search search(asked, oldest);
  const std::string_view prefix = asked.prefix;
  for (const Entries::iterator& entry : m_short) {
    const std::size_t size = entry->kept->asked.prefix.size();  // too short to have been cut
    if (prefix.size() >= size) search.look_at(*entry, prefix.size() - size);
  }
  if (prefix.size() < k_anchor) return search.best();
  constexpr std::uint64_t k_last = power(k_base, k_anchor - 1);
  const std::size_t last = prefix.size() - k_anchor;  // where the window begins when nothing was typed
  const std::size_t most_typed = std::min(last, m_longest_answer);
  std::uint64_t hash = hash_of(prefix.substr(last));
  for (std::size_t typed = 0;; ++typed) {
    if (m_filter[hash % k_filter_size] != 0) {
      const auto [begin, end] = m_by_anchor.equal_range(hash);
      for (auto found = begin; found != end && !search.is_exhausted(); ++found) search.look_at(*found->second, typed);
    }
    if (typed == most_typed || search.is_exhausted()) return search.best();
    const std::size_t begins = last - typed;
    hash = (hash - byte_at(prefix, begins + k_anchor - 1) * k_last) * k_base + byte_at(prefix, begins - 1);
  }
}

// Few run at once: each is looked for in the end of the new prefix.
std::optional<SeatMemory::RunningMatch> SeatMemory::find_running(const Asked& asked) const {
  for (auto one = m_running.rbegin(); one != m_running.rend(); ++one) {
    const Asked& earlier = *one->asked;
    if (earlier.terms != asked.terms || !suffixes_agree(earlier.suffix, asked.suffix)) continue;
    const std::string_view prefix = asked.prefix;
    const std::string so_far = one->answer->text();
    const std::size_t most_typed = std::min(prefix.size(), so_far.size() + k_longest_typed_ahead);
    std::optional<std::size_t> fits;
    int ways = 0;
    for (std::size_t typed = takes_equal(asked) ? 0 : 1; typed <= most_typed; ++typed) {
      const std::string_view text = prefix.substr(prefix.size() - typed);
      const std::size_t known = std::min(typed, so_far.size());
      if (text.substr(0, known) != std::string_view(so_far).substr(0, known)) continue;
      const Agreement agreement = prefixes_agree(earlier.prefix, prefix.substr(0, prefix.size() - typed));
      if (agreement == Agreement::none) continue;
      fits = typed;
      if (agreement == Agreement::whole) {
        ways = 1;
        break;
      }
      ++ways;
    }
    if (ways == 1) return RunningMatch{one->answer, std::string(prefix.substr(prefix.size() - *fits))};
  }
  return std::nullopt;
}

void SeatMemory::keep(std::shared_ptr<const Remembered> remembered) {
  if (const auto same = find_same(remembered->asked)) erase(*same);
  const std::string_view prefix = remembered->asked.prefix;
  const std::size_t weight = weight_of(*remembered);
  while (!m_kept.empty() && (m_kept.size() >= k_most_kept || m_bytes + weight > k_most_bytes)) erase(m_kept.begin());
  m_bytes += weight;
  m_longest_answer = std::max(m_longest_answer, remembered->answer.size());
  Entry entry;
  entry.number = ++m_last_number;
  if (prefix.size() >= k_anchor) entry.anchor = hash_of(prefix.substr(prefix.size() - k_anchor));
  const bool is_short = prefix.size() < k_anchor;
  entry.kept = std::move(remembered);
  const auto place = m_kept.insert(m_kept.end(), std::move(entry));
  if (is_short) {
    m_short.push_back(place);
  } else {
    m_by_anchor.emplace(place->anchor, place);
    ++m_filter[place->anchor % k_filter_size];
  }
}

std::optional<SeatMemory::Entries::iterator> SeatMemory::find_same(const Asked& asked) {
  const std::string_view prefix = asked.prefix;
  if (prefix.size() < k_anchor) {
    const auto found = std::find_if(m_short.begin(), m_short.end(),
                                    [&](const auto& one) { return is_same_question(one->kept->asked, asked); });
    return found == m_short.end() ? std::nullopt : std::optional(*found);
  }
  const auto [begin, end] = m_by_anchor.equal_range(hash_of(prefix.substr(prefix.size() - k_anchor)));
  for (auto found = begin; found != end; ++found) {
    if (is_same_question(found->second->kept->asked, asked)) return found->second;
  }
  return std::nullopt;
}

void SeatMemory::erase(Entries::iterator entry) {
  m_bytes -= weight_of(*entry->kept);
  if (entry->kept->asked.prefix.size() < k_anchor) {
    m_short.erase(std::find(m_short.begin(), m_short.end(), entry));
  } else {
    const auto [begin, end] = m_by_anchor.equal_range(entry->anchor);
    m_by_anchor.erase(std::find_if(begin, end, [&](const auto& one) { return one.second == entry; }));
    --m_filter[entry->anchor % k_filter_size];
  }
  m_kept.erase(entry);
}

void SeatMemory::forget_before(WallTime oldest) {
  while (!m_kept.empty() && m_kept.front().kept->at < oldest) erase(m_kept.begin());
}

void SeatMemory::begin(std::shared_ptr<const Asked> asked, std::shared_ptr<RunningAnswer> answer) {
  if (m_running.size() == k_most_running) m_running.erase(m_running.begin());
  m_running.push_back({std::move(asked), std::move(answer)});
}

void SeatMemory::end(const RunningAnswer* answer) {
  std::erase_if(m_running, [&](const Running& one) { return one.answer.get() == answer; });
}

}  // namespace nemo::completion
