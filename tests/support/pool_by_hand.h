// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A LanePool whose monitor is the test, with times of its own; and jobs that hold their lanes.
// Declare the jobs after the pool.
//
// Blocking: AwaitEntered; the destructors, until lanes at rest have left, and the jobs are over.

#ifndef FOXTIVE_TESTS_SUPPORT_POOL_BY_HAND_H_
#define FOXTIVE_TESTS_SUPPORT_POOL_BY_HAND_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "foxtive/clock.h"
#include "lib/shell/lane_pool.h"
#include "lib/shell/real_time.h"
#include "lib/shell/system.h"
#include "lib/shell/thread_setup.h"
#include "tests/support/pool_under_test.h"
#include "tests/support/test_util.h"

namespace foxtive::test {

class PoolByHand {
 public:
  explicit PoolByHand(int max_lanes)
      : pool_(std::make_shared<internal::LanePool>(
            internal::System::Real(), max_lanes, "test-lane", [this] { ++nudges_; },
            [this](const std::string& cause) { reports_.Add(cause); })) {}
  ~PoolByHand() { pool_->Close(/*wait=*/true); }

  internal::LanePool* operator->() { return pool_.get(); }

  // `after` is counted from the beginning.
  absl::Duration Tend(absl::Duration after) {
    const internal::SignalsBlocked signals_blocked;
    const int64_t due = pool_->Tend(internal::After(start_, after));
    if (due == Clock::kNever) return absl::InfiniteDuration();
    return absl::Nanoseconds(due - start_);
  }

  // How often the monitor was asked to look; what it was told to say.
  int nudges() const { return nudges_; }
  std::vector<std::string> reports() const { return reports_.Entries(); }

 private:
  const int64_t start_ = internal::RealClock().NowNanos();
  std::atomic<int> nudges_{0};
  Recorder<std::string> reports_;
  const std::shared_ptr<internal::LanePool> pool_;
};

// Jobs that end when this does.
class HeldJobs {
 public:
  ~HeldJobs() {
    released_.Notify();
    for (FunctionJob& job : jobs_) job.AwaitReleased();
  }

  void Push(PoolByHand& pool) {
    pool->Push(jobs_.emplace_back([this] {
      entered_.Add(0);
      released_.Await("the end of the test");
      return internal::Job::Outcome::kDone;
    }));
  }
  void AwaitEntered(size_t count) { entered_.AwaitSize(count); }

 private:
  std::deque<FunctionJob> jobs_;
  Recorder<int> entered_;
  Notification released_;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_POOL_BY_HAND_H_
