// Intervals around shares, quantiles and means. Pure; any thread. `miss` is the probability with which an interval may
// leave out the true value: 0.05 for one of 95 %.
#pragma once

#include <cstdint>

namespace nemo::ledger {

struct Interval {
  double low = 0;
  double high = 0;
};

// What a standard normal value stays below with probability `p`; 0 < p < 1.
double normal_quantile(double p);
// What the absolute value of Student's t exceeds with probability `miss`; freedom >= 1, which need not be whole.
double student_quantile(double miss, double freedom);

// Of a probability, seen to happen `hits` times `of` so many; of > 0. Good for few, for none and for all.
Interval wilson_interval(std::int64_t hits, std::int64_t of, double miss);

// A mean of amounts that may be skewed, as costs are.
struct SkewedMean {
  double value = 0;
  double variance = 0;      // of the estimate, not of what it is the mean of
  double third_moment = 0;  // likewise, around its mean
  double freedom = 1;       // of the variance
};
Interval mean_interval(const SkewedMean& mean, double miss);

// Places in n sorted samples, counted from 1.
struct Ranks {
  std::int64_t low = 0;   // 0: so few samples that none is a bound below
  std::int64_t high = 0;  // n + 1: none is a bound above
};
// Between which samples the p-quantile lies of what they were drawn from, whatever that is distributed like.
Ranks quantile_ranks(std::int64_t n, double p, double miss);

}  // namespace nemo::ledger
