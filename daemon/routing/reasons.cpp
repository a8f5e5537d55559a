#include "daemon/routing/reasons.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace nemo::routing {
namespace {

std::string with_unit(double value, const char* unit) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), value < 10 ? "%.1f %s" : "%.0f %s", value, unit);
  return text.data();
}

std::string milliseconds(Micros time) {
  return with_unit(static_cast<double>(time.count()) / 1'000, "ms");
}

// Rounded up: who comes back then is not too early.
std::string seconds(Micros time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count()) + " s";
}

void add(std::string& list, const std::string& item) {
  if (item.empty()) return;
  if (!list.empty()) list.append(", ");
  list.append(item);
}

std::string condition_of(const Figures& figures) {
  switch (figures.condition) {
    case Condition::healthy:
      return {};
    case Condition::half_open:
      return "one call may try it after its cooldown";
    case Condition::cooling:
      if (figures.until_ready.count() == 0) return "another call tries it after its cooldown";
      return "cooling down for another " + seconds(figures.until_ready);
    case Condition::rate_limited:
      return "its upstream asked to wait for another " + seconds(figures.until_ready);
  }
  return {};
}

std::string score_of(double score) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "score %.3g", score);
  return text.data();
}

std::string figures_of(const Considered& one, Strategy strategy) {
  const Figures& figures = one.figures;
  std::string text;
  if (figures.ttft) add(text, "ttft " + milliseconds(*figures.ttft));
  if (figures.in_flight > 0) add(text, std::to_string(figures.in_flight) + " in flight");
  if (one.deployment->rpm) {
    add(text,
        std::to_string(figures.calls_this_minute) + " of " + std::to_string(*one.deployment->rpm) + " calls a minute");
  }
  if (strategy != Strategy::simple_shuffle && one.exclusion == Exclusion::none) add(text, score_of(one.score));
  if (!figures.last_trouble.empty()) add(text, "last trouble " + figures.last_trouble);
  return text;
}

}  // namespace

std::string reason_of(const Considered& one) {
  switch (one.exclusion) {
    case Exclusion::keyless:
      if (!one.deployment->unusable.empty()) return one.deployment->unusable;
      return "its upstream has no key: run `nemo login --upstream " + one.deployment->upstream + "`";
    case Exclusion::tags:
      return "its tags do not match";
    case Exclusion::unpriced:
      return "the model has no price";
    case Exclusion::rate_limited:
      return condition_of(one.figures);
    case Exclusion::rpm_used_up:
      return "its " + std::to_string(*one.deployment->rpm) + " calls a minute are used up";
    case Exclusion::none:
      break;
  }
  std::string reason = one.is_fallback ? "a fallback" : "order " + std::to_string(one.deployment->order);
  add(reason, condition_of(one.figures));
  if (one.explored) add(reason, "tried to measure it");
  return reason;
}

std::vector<call::Candidate> explain(const Decision& decision) {
  std::vector<call::Candidate> candidates;
  candidates.reserve(decision.considered.size());
  for (const Considered& one : decision.considered) {
    candidates.push_back(
        {one.deployment->id, reason_of(one), one.exclusion == Exclusion::none, figures_of(one, decision.strategy)});
  }
  return candidates;
}

}  // namespace nemo::routing
