// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// One lane of a LanePool: the loop on a thread of oneTBB. For the pool's own files.

#ifndef FOXTIVE_LIB_SHELL_LANE_H_
#define FOXTIVE_LIB_SHELL_LANE_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "foxtive/clock.h"
#include "lib/shell/executor.h"
#include "lib/shell/lane_pool.h"
#include "lib/shell/lane_thread.h"
#include "lib/shell/system.h"

namespace foxtive::internal {

// The loop of one lane. `arrived_`, `woken_`, `retire_` and `resting_since_` are guarded by the
// mutex of the pool.
class LanePool::Lane final : public LaneBody, public std::enable_shared_from_this<Lane> {
 public:
  explicit Lane(std::shared_ptr<LanePool> pool) : pool_(std::move(pool)) {}

  void Run() noexcept override {
    LaneThread thread(pool_->thread_name_, pool_->system_->lanes_own_threads());
    Job* job = nullptr;
    Job::Outcome outcome = Job::Outcome::kDone;
    while (true) {
      const Job* const former = outcome == Job::Outcome::kAgain ? job : nullptr;
      job = Next(job, outcome, thread);
      if (job == nullptr) return;
      // Only one that runs again is surely the same: a new one may have the address of an old one.
      thread.Begin(job->thread_name(), /*other_task=*/job != former);
      outcome = job->Run();
      thread.End();
    }
  }

  void Left() noexcept override { pool_->Leave(); }

 private:
  friend class LanePool;

  // Null: the lane retires.
  Job* Next(Job* finished, Job::Outcome outcome, LaneThread& thread) {
    while (true) {
      Job* const job = pool_->Exchange(*this, finished, outcome);
      if (job != nullptr || retires_) return job;
      finished = nullptr;
      thread.Rest();
      pool_->real_clock_.Park(parker_, Clock::kNever);
    }
  }

  const std::shared_ptr<LanePool> pool_;
  Clock::Parker parker_;
  bool arrived_ = false;
  bool woken_ = false;
  bool retire_ = false;
  int64_t resting_since_ = 0;
  bool retires_ = false;  // of the lane's thread
};

}  // namespace foxtive::internal

#endif  // FOXTIVE_LIB_SHELL_LANE_H_
