#include "shared/resemblance.h"

#include <algorithm>
#include <string>
#include <vector>

namespace nemo {
namespace {

constexpr std::size_t k_longest_name = 128;  // the asked name comes from a request: keeps the work small
constexpr int k_whole = 100;                 // a share of everything
constexpr int k_close_enough = 60;           // below this share of equal letters two names are just different
constexpr int k_half_of_the_words = 50;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<std::string_view> words_of(std::string_view name) {
  std::vector<std::string_view> words;
  while (!name.empty()) {
    const auto end = std::min(name.find_first_of("-/@_: "), name.size());
    if (end > 0) words.push_back(name.substr(0, end));
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return words;
}

bool same_word(std::string_view asked, std::string_view known) {
  if (asked == known) return true;
  // One slip is forgiven in a word, none in a version number.
  return asked.size() >= 4 && known.size() >= 4 && edit_distance(asked, known) == 1;
}

int share_of_words(std::string_view asked, std::string_view known) {
  const auto wanted = words_of(asked);
  const auto there = words_of(known);
  if (wanted.empty()) return 0;
  const auto matched = std::count_if(wanted.begin(), wanted.end(), [&](std::string_view word) {
    return std::any_of(there.begin(), there.end(), [&](std::string_view other) { return same_word(word, other); });
  });
  return static_cast<int>(k_whole * static_cast<std::size_t>(matched) / wanted.size());
}

int share_of_letters(std::string_view asked, std::string_view known) {
  const std::size_t longest = std::max(asked.size(), known.size());
  if (longest == 0) return 0;
  return static_cast<int>(k_whole * (longest - edit_distance(asked, known)) / longest);
}

std::string_view without_publisher(std::string_view name) {
  const auto slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

int resemblance(std::string_view asked, std::string_view known) {
  if (asked.empty() || asked.size() > k_longest_name || known.size() > k_longest_name) return 0;
  const std::string wanted = lower(asked);
  const std::string there = lower(known);
  const std::string_view wanted_name = without_publisher(wanted);
  const std::string_view known_name = without_publisher(there);
  const std::string_view known_unversioned = known_name.substr(0, known_name.find('@'));

  const int letters = std::max({share_of_letters(wanted, there), share_of_letters(wanted_name, known_name),
                                share_of_letters(wanted_name, known_unversioned)});
  const int words = std::max(share_of_words(wanted, there), share_of_words(wanted_name, known_name));
  const bool cut_short = wanted_name.size() >= 3 && known_name.starts_with(wanted_name);
  if (letters < k_close_enough && words < k_half_of_the_words && !cut_short) return 0;
  return 3 * letters + 2 * words + (cut_short ? k_whole : 0);
}

}  // namespace nemo
