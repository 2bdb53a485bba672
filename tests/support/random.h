// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Randomness that comes from one seed, for the simulator and the stress test. Each task, and each
// attempt of it, has a stream of its own, so that leaving out a task leaves the others as they
// were.
//
// SplitMix64: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014.

#ifndef FOXTIVE_TESTS_SUPPORT_RANDOM_H_
#define FOXTIVE_TESTS_SUPPORT_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "absl/time/time.h"

namespace foxtive::test {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  // The stream that belongs to `a` and `b`.
  Random(uint64_t seed, uint64_t a, uint64_t b = 0) : state_(seed) {
    state_ = Next() ^ (a * 0x9e3779b97f4a7c15);
    state_ = Next() ^ (b * 0xd1b54a32d192ed03);
  }

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // In [0, limit). The last few values are a little rarer, which is of no importance here.
  uint64_t Below(uint64_t limit) { return Next() % limit; }
  // In [low, high].
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low) + 1));
  }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  bool Percent(uint64_t percent) { return Below(100) < percent; }

  template <typename T>
  T OneOf(std::initializer_list<T> values) {
    return *(values.begin() + Below(values.size()));
  }

  // Short ones are as frequent as long ones: from 1 us to `max`, or nothing.
  absl::Duration Duration(absl::Duration max) {
    if (OneIn(8)) return absl::ZeroDuration();
    absl::Duration limit = absl::Microseconds(1);
    while (limit < max && !OneIn(6)) limit *= 8;
    if (limit > max) limit = max;
    // Whole milliseconds now and then, so that things fall together.
    const int64_t nanos = absl::ToInt64Nanoseconds(limit);
    const int64_t drawn = Between(1, nanos);
    return absl::Nanoseconds(OneIn(2) ? drawn : (drawn + 999'999) / 1'000'000 * 1'000'000);
  }

 private:
  uint64_t state_;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_RANDOM_H_
