// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// A LanePool with what a Supervisor would have around it: a thread that calls Tend when it is
// nudged or due. And jobs that call a function.

#ifndef FOXTIVE_TESTS_SUPPORT_POOL_UNDER_TEST_H_
#define FOXTIVE_TESTS_SUPPORT_POOL_UNDER_TEST_H_

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "foxtive/clock.h"
#include "lib/shell/executor.h"
#include "lib/shell/lane_pool.h"
#include "lib/shell/real_time.h"
#include "lib/shell/system.h"
#include "lib/shell/thread_setup.h"

namespace foxtive::test {

// Released says when the executor has let go of it: wait for that before it is destroyed.
class FunctionJob final : public internal::CustomJob {
 public:
  explicit FunctionJob(std::function<Outcome()> function) : function_(std::move(function)) {}

  Outcome Run() noexcept override { return function_(); }
  void Release() noexcept override { released_.set_value(); }
  std::string_view thread_name() const noexcept override { return "job"; }

  void AwaitReleased() { released_.get_future().wait(); }

 private:
  std::function<Outcome()> function_;
  std::promise<void> released_;
};

class PoolUnderTest {
 public:
  explicit PoolUnderTest(int max_lanes)
      : pool_(std::make_shared<internal::LanePool>(
            internal::System::Real(), max_lanes, "test-lane",
            [parker = parker_] { internal::RealClock().Unpark(*parker); },
            [](const std::string&) {})),
        tender_([this] { Tend(); }) {}

  ~PoolUnderTest() {
    leaving_ = true;
    internal::RealClock().Unpark(*parker_);
    tender_.join();
    pool_->Close(/*wait=*/true);
  }

  internal::LanePool* operator->() { return pool_.get(); }

 private:
  void Tend() {
    const internal::SignalsBlocked signals_blocked;
    while (!leaving_) {
      const int64_t due = pool_->Tend(internal::RealClock().NowNanos());
      internal::RealClock().Park(*parker_, due);
    }
  }

  // Nudges may come when this is gone.
  const std::shared_ptr<Clock::Parker> parker_ = std::make_shared<Clock::Parker>();
  const std::shared_ptr<internal::LanePool> pool_;
  std::atomic<bool> leaving_{false};
  std::thread tender_;
};

}  // namespace foxtive::test

#endif  // FOXTIVE_TESTS_SUPPORT_POOL_UNDER_TEST_H_
