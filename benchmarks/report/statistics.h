// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What is said of repetitions. Nothing is assumed of how they are distributed: on a machine that
// has other things to do, too, a few are far away from the rest.
//
// Thread safety: all is pure. Blocking: none. Errors: none; what is REQUIRED is the caller's.

#ifndef FOXTIVE_BENCHMARKS_REPORT_STATISTICS_H_
#define FOXTIVE_BENCHMARKS_REPORT_STATISTICS_H_

#include <optional>
#include <vector>

namespace foxtive::benchmarks {

struct Range {
  double low = 0;
  double high = 0;
};

// Of an even number the mean of the two in the middle. REQUIRES: not empty.
double Median(std::vector<double> values);

// The least and the most. REQUIRES: not empty.
Range Spread(const std::vector<double>& values);

// Where the median of what the values are drawn from lies, with a confidence of at least 95 %: from
// the k-th least to the k-th most, with the greatest k for which that is so. Of fewer than six
// values, for which it never is, the spread (of five: 94 %). REQUIRES: not empty.
Range MedianInterval(std::vector<double> values);

struct Ratio {
  double median = 0;
  Range interval;
};

// Of the quotients of what belongs to the same repetition. Nothing if a divisor is not positive.
// REQUIRES: as many of the one as of the other, not empty.
std::optional<Ratio> PairedRatio(const std::vector<double>& dividends,
                                 const std::vector<double>& divisors);

}  // namespace foxtive::benchmarks

#endif  // FOXTIVE_BENCHMARKS_REPORT_STATISTICS_H_
