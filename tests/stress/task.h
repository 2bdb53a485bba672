// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A task of the stress test: it does what its Fate says, and writes down each of its calls.

#ifndef FOXTIVE_TESTS_STRESS_TASK_H_
#define FOXTIVE_TESTS_STRESS_TASK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "foxtive/supervisor.h"
#include "tests/stress/box.h"
#include "tests/stress/fate.h"
#include "tests/stress/log.h"
#include "tests/support/test_util.h"

namespace foxtive::test {

// What all tasks of one Supervisor share; owned by each, because some are abandoned.
struct StressWorld {
  StressWorld(uint64_t with_seed, size_t log_capacity) : seed(with_seed), log(log_capacity) {}

  const uint64_t seed;
  StressLog log;
  std::atomic<int64_t> lost{0};   // events, as the listener was told
  std::atomic<int64_t> alive{0};  // tasks that have not been destroyed
  // Lets the deaf ones go.
  Notification released;
  // What workers wait for.
  Boxes boxes;
  // What a worker does to others.
  std::function<void()> submit_one;
  std::function<void()> stop_one;
};

// `world` outlives the task.
TaskSpec MakeStressSpec(const std::shared_ptr<StressWorld>& world, const Fate& fate);

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_STRESS_TASK_H_
