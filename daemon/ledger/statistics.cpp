#include "daemon/ledger/statistics.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace nemo::ledger {
namespace {

constexpr double k_pi = std::numbers::pi;

// Peter Acklam's rational approximation, right to nine digits, for the lower half.
double lower_normal_quantile(double p) {
  constexpr double k_tail = 0.02425;
  if (p < k_tail) {
    const double q = std::sqrt(-2 * std::log(p));
    return (((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e+00) * q -
              2.549732539343734e+00) *
                 q +
             4.374664141464968e+00) *
                q +
            2.938163982698783e+00) /
           ((((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e+00) * q +
             3.754408661907416e+00) *
                q +
            1);
  }
  const double q = p - 0.5;
  const double r = q * q;
  return (((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r +
            1.383577518672690e+02) *
               r -
           3.066479806614716e+01) *
              r +
          2.506628277459239e+00) *
         q /
         (((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r +
            6.680131188771972e+01) *
               r -
           1.328068155288572e+01) *
              r +
          1);
}

// The odds of k successes among n for k from `first` on, as far as they matter. Not std::lgamma: it writes to a global.
struct BinomialOdds {
  std::int64_t first = 0;
  std::vector<double> odds;
};

BinomialOdds binomial_odds(std::int64_t n, double p) {
  const double mean = static_cast<double>(n) * p;
  const double reach = 12 * std::sqrt(mean * (1 - p)) + 30;
  const auto first = static_cast<std::int64_t>(std::max(0.0, std::floor(mean - reach)));
  const auto last = std::min(n, static_cast<std::int64_t>(std::ceil(mean + reach)));
  const auto mode = std::clamp(static_cast<std::int64_t>(mean), first, last);
  BinomialOdds found{first, std::vector<double>(static_cast<std::size_t>(last - first) + 1)};
  const auto at = [&](std::int64_t k) -> double& { return found.odds[static_cast<std::size_t>(k - first)]; };
  // How much likelier k + 1 is than k.
  const auto growth = [&](std::int64_t k) {
    return static_cast<double>(n - k) / static_cast<double>(k + 1) * (p / (1 - p));
  };
  at(mode) = 1;
  for (std::int64_t k = mode; k < last; ++k) at(k + 1) = at(k) * growth(k);
  for (std::int64_t k = mode; k > first; --k) at(k - 1) = at(k) / growth(k - 1);
  double sum = 0;
  for (const double odds : found.odds) sum += odds;
  for (double& odds : found.odds) odds /= sum;
  return found;
}

}  // namespace

double normal_quantile(double p) {
  return p <= 0.5 ? lower_normal_quantile(p) : -lower_normal_quantile(1 - p);
}

// G. W. Hill, Algorithm 396, Communications of the ACM 13 (1970): an expansion around the normal quantile, and one for
// the far tails of few degrees of freedom.
double student_quantile(double miss, double freedom) {
  const double n = freedom;
  if (n == 1) return 1 / std::tan(miss * k_pi / 2);
  if (n == 2) return std::sqrt(2 / (miss * (2 - miss)) - 2);
  const double a = 1 / (n - 0.5);
  const double b = 48 / (a * a);
  double c = ((20700 * a / b - 98) * a - 16) * a + 96.36;
  const double d = ((94.5 / (b + c) - 3) / b + 1) * std::sqrt(a * k_pi / 2) * n;
  double y = std::pow(d * miss, 2 / n);
  if (y <= 0.05 + a) {
    y = ((1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)) * y - 1) * (n + 1) / (n + 2) +
        1 / y;
    return std::sqrt(n * y);
  }
  const double x = normal_quantile(miss / 2);
  y = x * x;
  if (n < 5) c += 0.3 * (n - 4.5) * (x + 0.6);
  c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c;
  y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
  return std::sqrt(n * std::expm1(a * y * y));
}

// E. B. Wilson, 1927.
Interval wilson_interval(std::int64_t hits, std::int64_t of, double miss) {
  const double n = static_cast<double>(of);
  const double share = static_cast<double>(hits) / n;
  const double z = normal_quantile(1 - miss / 2);
  const double middle = share + z * z / (2 * n);
  const double reach = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  const double scale = 1 + z * z / n;
  // At the ends the bound is the share itself, which rounding must not move.
  return {hits == 0 ? 0 : std::max(0.0, (middle - reach) / scale),
          hits == of ? 1 : std::min(1.0, (middle + reach) / scale)};
}

// Calls that cost much are rare and often not among a few: Student's interval then leaves out the true mean three times
// as often as it says. P. Hall, "On the removal of skewness by transformation", 1992, tells how far it must reach to
// the side of the tail; to the other side it would reach less far, of which small samples cannot be that sure.
Interval mean_interval(const SkewedMean& mean, double miss) {
  if (mean.variance <= 0) return {mean.value, mean.value};
  const double deviation = std::sqrt(mean.variance);
  const double skew = mean.third_moment / (mean.variance * deviation);
  const double reach = student_quantile(miss, mean.freedom);
  const auto untransformed = [&](double x) {
    if (std::abs(skew) < 1e-6) return x;
    return 3 / skew * (std::cbrt(1 + skew * (x - skew / 6)) - 1);
  };
  return {mean.value - deviation * std::max(reach, untransformed(reach)),
          mean.value + deviation * std::max(reach, -untransformed(-reach))};
}

// So many of the samples lie below the quantile as a binomial variable says.
Ranks quantile_ranks(std::int64_t n, double p, double miss) {
  if (n <= 0) return {0, n + 1};
  const BinomialOdds below = binomial_odds(n, p);
  Ranks ranks{below.first, n + 1};
  double sum = 0;
  for (const double odds : below.odds) {
    sum += odds;
    if (sum > miss / 2) break;
    ++ranks.low;
  }
  sum = 0;
  ranks.high = below.first + static_cast<std::int64_t>(below.odds.size());
  for (auto odds = below.odds.rbegin(); odds != below.odds.rend(); ++odds) {
    sum += *odds;
    if (sum > miss / 2) break;
    --ranks.high;
  }
  return ranks;
}

}  // namespace nemo::ledger
