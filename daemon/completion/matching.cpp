#include "daemon/completion/matching.h"

#include <algorithm>

namespace nemo::completion {
namespace {

// Enough to find where a window begins in another.
constexpr std::size_t k_head = 64;

// Lets both begin at the same place of the file; false: there is none.
bool align(std::string_view& one, std::string_view& other) {
  const std::size_t head = std::min({k_head, one.size(), other.size()});
  if (one.substr(0, head) == other.substr(0, head)) return head > 0;
  if (std::min(one.size(), other.size()) < k_least_overlap) return true;  // too little of it to have been cut
  if (const auto at = one.find(other.substr(0, k_head)); at != std::string_view::npos) {
    one.remove_prefix(at);
    return true;
  }
  const auto at = other.find(one.substr(0, k_head));
  if (at == std::string_view::npos) return false;
  other.remove_prefix(at);
  return true;
}

}  // namespace

std::size_t common_beginning(std::string_view one, std::string_view other) {
  const std::size_t most = std::min(one.size(), other.size());
  const auto differing = std::mismatch(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(most), other.begin());
  return static_cast<std::size_t>(differing.first - one.begin());
}

Agreement prefixes_agree(std::string_view one, std::string_view other) {
  if (one.size() == other.size()) return one == other ? Agreement::whole : Agreement::none;
  const bool one_is_longer = one.size() > other.size();
  const std::string_view longer = one_is_longer ? one : other;
  const std::string_view shorter = one_is_longer ? other : one;
  return shorter.size() >= k_least_overlap && longer.ends_with(shorter) ? Agreement::cut : Agreement::none;
}

bool suffixes_agree(std::string_view one, std::string_view other) {
  if (one.size() == other.size()) return one == other;
  const bool one_is_longer = one.size() > other.size();
  const std::string_view longer = one_is_longer ? one : other;
  const std::string_view shorter = one_is_longer ? other : one;
  return shorter.size() >= k_least_suffix_overlap && longer.starts_with(shorter);
}

bool suffixes_nearly_agree(std::string_view one, std::string_view other) {
  for (std::size_t skipped = 0; skipped <= k_longest_insertion; ++skipped) {
    if (skipped <= one.size() && suffixes_agree(one.substr(skipped), other)) return true;
    if (skipped <= other.size() && suffixes_agree(one, other.substr(skipped))) return true;
  }
  return false;
}

std::optional<std::size_t> find_insertion(std::string_view older, std::string_view newer, std::string_view rest) {
  const std::size_t most = std::min({k_longest_insertion, newer.size(), rest.size()});
  for (std::size_t inserted = 0; inserted <= most; ++inserted) {
    if (!rest.ends_with(newer.substr(0, inserted))) continue;
    if (suffixes_agree(older, newer.substr(inserted))) return inserted;
  }
  return std::nullopt;
}

std::optional<Step> find_step(const Asked& older, const Asked& newer) {
  std::string_view before = older.prefix;
  std::string_view after = newer.prefix;
  if (!align(before, after)) return std::nullopt;
  const std::size_t common = common_beginning(before, after);
  const std::size_t taken_back = before.size() - common;
  if (common == 0 || taken_back > k_most_taken_back || taken_back * 4 > before.size()) return std::nullopt;
  if (taken_back > 0 && !(older.has_hole && newer.has_hole)) return std::nullopt;
  if (after.size() - common > k_most_added) return std::nullopt;
  if (!suffixes_nearly_agree(older.suffix, newer.suffix)) return std::nullopt;
  const bool is_identical = older.prefix == newer.prefix && older.suffix == newer.suffix;
  return Step{taken_back, after.substr(common), is_identical};
}

}  // namespace nemo::completion
