// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// How `TaskContext::Wait` blocks: a part of foxtive/task_context.h, which says all that there is to
// say to users.

#ifndef FOXTIVE_CONDITION_WAIT_H_
#define FOXTIVE_CONDITION_WAIT_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <stop_token>

#include "absl/status/status.h"

namespace foxtive::internal {

struct ConditionWait {
  absl::Status refused{};
  bool takes_turns = false;  // simulated time: no thread may block
  std::stop_token stop{};    // not the worker's: no callback of the user's is on it
  bool has_deadline = false;
  int64_t deadline_nanos = 0;  // on the Supervisor's clock

  // Until `over()`, or the deadline: the last answer. REQUIRES: !takes_turns, so that the clock, if
  // there is a deadline, is the monotonic one.
  template <typename Lock, typename Over>
  bool Block(std::condition_variable_any& condition, Lock& lock, const Over& over) const {
    if (!has_deadline) return condition.wait(lock, stop, over);
    const std::chrono::steady_clock::time_point deadline{std::chrono::nanoseconds(deadline_nanos)};
    return condition.wait_until(lock, stop, deadline, over);
  }
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_CONDITION_WAIT_H_
