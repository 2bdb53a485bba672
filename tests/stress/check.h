// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// Whether a log of the stress test keeps the contract: each promise is computed again, from what
// user code saw and from the Fate of each task, by nothing that the library uses.

#ifndef FOXTIVE_TESTS_STRESS_CHECK_H_
#define FOXTIVE_TESTS_STRESS_CHECK_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "foxtive/event_listener.h"
#include "foxtive/supervision_result.h"
#include "tests/stress/log.h"

namespace foxtive::test {

// What kFinished says of a result.
inline int64_t NumberOf(const SupervisionResult& result) {
  return result.total_attempts * 16 + static_cast<int64_t>(result.final_status);
}

// What was seen of all tasks together.
struct Totals {
  int64_t tasks = 0;  // accepted
  int64_t attempts = 0;
  int64_t abandoned = 0;
  int64_t stopped = 0;  // RequestStop said true
  int64_t refused = 0;
  int64_t events = 0;
  int64_t waits = 0;      // that were over
  int64_t callbacks = 0;  // of OnStop, that were called
};

struct Listened {
  int64_t lost = 0;         // events that the listener was told of as lost
  bool to_the_end = false;  // no worker was still out when the Supervisor went
};

// One sentence for each promise that is broken; none: all is well.
std::vector<std::string> BrokenPromises(uint64_t seed, std::span<const Entry> log,
                                        const Listened& listened, Totals& totals);

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_STRESS_CHECK_H_
