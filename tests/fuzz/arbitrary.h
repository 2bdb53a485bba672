// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// What a user may hand over, good or bad, made of bytes; and what the contract says about it.

#ifndef FOXTIVE_TESTS_FUZZ_ARBITRARY_H_
#define FOXTIVE_TESTS_FUZZ_ARBITRARY_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "foxtive/backoff_strategy.h"
#include "foxtive/restart_policy.h"
#include "tests/fuzz/input.h"

namespace foxtive::test {

// One that has a meaning, of every magnitude up to some days.
absl::Duration UsualDuration(Input& input);

// Any at all: also negative, infinite, or a part of a nanosecond.
absl::Duration AnyDuration(Input& input);

struct AnyPolicy {
  RestartPolicy policy = RestartPolicy::Always();
  int64_t limit = -1;   // as in support/lifecycle_model.h
  std::string refused;  // the field that is to be named; empty: it is valid
};
AnyPolicy MakePolicy(Input& input);

struct AnyBackoff {
  BackoffStrategy strategy = BackoffStrategy::Exponential();
  absl::Duration max = absl::InfiniteDuration();  // infinite: it has none
  double jitter = 0;
  bool custom = false;
  std::string refused;
};
// `usual`: mostly what can be waited for.
AnyBackoff MakeBackoff(Input& input, bool usual);

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_FUZZ_ARBITRARY_H_
