// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT

#include "benchmarks/report/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace foxtive::benchmarks {
namespace {

// How many values may be left out at either end: each value is below the median with a chance of a
// half, so the k least are all below it, and no more, with that of a binomial distribution.
size_t LeftOut(size_t count) {
  constexpr double kMaxTail = 0.025;
  double term = std::pow(0.5, static_cast<double>(count));
  double tail = term;
  size_t left_out = 0;
  while (left_out + 1 <= count / 2 && tail <= kMaxTail) {
    ++left_out;
    term *= static_cast<double>(count - left_out + 1) / static_cast<double>(left_out);
    tail += term;
  }
  return left_out == 0 ? 0 : left_out - 1;
}

}  // namespace

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

Range Spread(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {*least, *most};
}

Range MedianInterval(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t left_out = LeftOut(values.size());
  return {values[left_out], values[values.size() - 1 - left_out]};
}

std::optional<Ratio> PairedRatio(const std::vector<double>& dividends,
                                 const std::vector<double>& divisors) {
  std::vector<double> ratios;
  for (size_t i = 0; i < dividends.size(); ++i) {
    if (divisors[i] <= 0) return std::nullopt;
    ratios.push_back(dividends[i] / divisors[i]);
  }
  return Ratio{Median(ratios), MedianInterval(ratios)};
}

}  // namespace foxtive::benchmarks
