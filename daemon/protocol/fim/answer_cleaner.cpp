#include "daemon/protocol/fim/answer_cleaner.h"

#include <utility>

namespace nemo::protocol {
namespace {

// Editors send up to nine stop texts, the longest a sentinel; each is looked for in every piece of an answer.
constexpr std::size_t k_most_stops = 64;
constexpr std::size_t k_longest_stop = 256;

// Those that are looked for here; others are upstream's affair.
std::vector<std::string> fit_stops(std::vector<std::string> stops) {
  std::erase_if(stops, [](const std::string& stop) { return stop.empty() || stop.size() > k_longest_stop; });
  if (stops.size() > k_most_stops) stops.resize(k_most_stops);
  return stops;
}

}  // namespace

std::shared_ptr<const Cleaning> clean_hole(const FimPrompt& hole, std::vector<std::string> stops) {
  // One byte more, for it is then seen that the rest is not all of the prefix.
  constexpr std::size_t k_kept = EchoFilter::k_longest + 1;
  const std::size_t from = hole.prefix.size() > k_kept ? hole.prefix.size() - k_kept : 0;
  return std::make_shared<const Cleaning>(
      Cleaning{Fences::strip, hole.prefix.substr(from), SuffixStart(hole.suffix), fit_stops(std::move(stops))});
}

std::shared_ptr<const Cleaning> clean_stops(std::vector<std::string> stops) {
  return std::make_shared<const Cleaning>(Cleaning{.stops = fit_stops(std::move(stops))});
}

AnswerCleaner::AnswerCleaner(std::shared_ptr<const Cleaning> cleaning)
    : m_cleaning(std::move(cleaning)),
      m_echo(m_cleaning->prefix),
      m_stops(m_cleaning->stops),
      m_overlap(m_cleaning->suffix) {}

void AnswerCleaner::push(std::string_view text, std::string& out) {
  if (m_is_finished || has_stopped()) return;
  if (m_cleaning->fences == Fences::keep) {
    pass(text, out);
    return;
  }
  std::string unfenced;
  m_fences.push(text, unfenced);
  pass(unfenced, out);
}

void AnswerCleaner::finish(std::string& out) {
  if (std::exchange(m_is_finished, true) || has_stopped()) return;
  std::string unfenced;
  m_fences.finish(unfenced);
  pass(unfenced, out);
  if (has_stopped()) return;
  std::string fresh;
  m_echo.finish(fresh);
  std::string wanted;
  m_stops.push(fresh, wanted);
  m_stops.finish(wanted);
  m_overlap.push(wanted, out);
  m_overlap.finish(out);
}

void AnswerCleaner::pass(std::string_view text, std::string& out) {
  std::string fresh;
  m_echo.push(text, fresh);
  std::string wanted;
  m_stops.push(fresh, wanted);
  m_overlap.push(wanted, out);
  if (has_stopped()) m_overlap.finish(out);
}

}  // namespace nemo::protocol
