// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S13 and S15 when it is the hooks that hang: like workers, they keep nobody else from being
// stopped.

#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

// Lanes, and tasks that hang; more than the service lanes for tasks without a lane.
constexpr int kMany = 20;

class StuckHooksTest : public ::testing::Test {
 protected:
  static SupervisorOptions Options(std::shared_ptr<Clock> clock) {
    return {.max_concurrency = kMany,
            .shutdown_timeout = absl::ZeroDuration(),
            .clock = std::move(clock)};
  }

  // Stops a task of the spec, which runs `worker`, and waits until it is abandoned inside `hook`.
  void AbandonInside(TaskSpec spec, const StuckWorker& worker, const StuckWorker& hook) {
    spec.stop_timeout = absl::Seconds(2);
    const TaskHandle handle = Submit(*supervisor_, std::move(spec));
    worker.AwaitEntered();
    EXPECT_TRUE(handle.RequestStop());
    hook.AwaitEntered();
    clock_->AwaitDeadline(clock_->Now() + absl::Seconds(2));
    clock_->Advance(absl::Seconds(2));
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  }

  // Time stands still meanwhile.
  void ExpectThatAWorkerIsStopped() {
    Notification running;
    Notification told;
    TaskSpec spec = Spec("good", [&] {
      running.Notify();
      told.Await("on_shutdown");
    });
    spec.stop_timeout = absl::InfiniteDuration();
    spec.hooks.on_shutdown = [&] { told.Notify(); };
    const TaskHandle handle = Submit(*supervisor_, std::move(spec));
    running.Await("run");
    EXPECT_TRUE(handle.RequestStop());
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::unique_ptr<Supervisor> supervisor_ = MakeSupervisor(Options(clock_));
};

TEST_F(StuckHooksTest, S13_OnShutdownThatHangsKeepsNoOtherWorkerFromBeingStopped) {
  StuckWorker workers[kMany];
  StuckWorker hooks[kMany];
  for (int i = 0; i < kMany; ++i) {
    TaskSpec spec = Spec(absl::StrCat("stuck-", i), workers[i].Run());
    spec.hooks.on_shutdown = hooks[i].Run();
    AbandonInside(std::move(spec), workers[i], hooks[i]);
  }
  ExpectThatAWorkerIsStopped();
}

TEST_F(StuckHooksTest, S13_AStopCallbackThatHangsKeepsNoOtherWorkerFromBeingStopped) {
  StuckWorker workers[kMany];
  StuckWorker callbacks[kMany];
  for (int i = 0; i < kMany; ++i) {
    AbandonInside(
        Spec(absl::StrCat("stuck-", i),
             [callback = callbacks[i].Run(), run = workers[i].Run()](TaskContext& context) {
               const std::stop_callback on_stop(context.stop_token(), callback);
               run();
             }),
        workers[i], callbacks[i]);
  }
  ExpectThatAWorkerIsStopped();
}

// The worker returns late, and leaves the rest to a helper: that hangs too.
TEST_F(StuckHooksTest, S15_CleanupThatHangsAfterALateReturnKeepsNoOtherWorkerFromBeingStopped) {
  std::vector<std::unique_ptr<StuckWorker>> hooks;
  for (int i = 0; i < kMany; ++i) {
    StuckWorker& on_shutdown = *hooks.emplace_back(std::make_unique<StuckWorker>());
    StuckWorker& cleanup = *hooks.emplace_back(std::make_unique<StuckWorker>());
    StuckWorker worker;
    TaskSpec spec = Spec(absl::StrCat("stuck-", i), worker.Run());
    spec.hooks.on_shutdown = on_shutdown.Run();
    spec.hooks.cleanup = cleanup.Run();
    AbandonInside(std::move(spec), worker, on_shutdown);
    worker.Release();
    on_shutdown.Release();
    cleanup.AwaitEntered();
  }
  ExpectThatAWorkerIsStopped();
}

TEST_F(StuckHooksTest, S15_DestructorsThatHangKeepNoWorkerFromBeingStopped) {
  StuckWorker destructors[kMany];
  for (int i = 0; i < kMany; ++i) {
    std::shared_ptr<void> captured(nullptr, [run = destructors[i].Run()](void*) { run(); });
    TaskSpec spec = Spec(absl::StrCat("stuck-", i), [captured = std::move(captured)] {
      return absl::UnavailableError("refused");
    });
    spec.backoff = BackoffStrategy::Constant(absl::Hours(1));
    spec.stop_timeout = absl::Seconds(2);
    const TaskHandle handle = Submit(*supervisor_, std::move(spec));
    AwaitState(handle, TaskState::kBackingOff);
    EXPECT_TRUE(handle.RequestStop());
    destructors[i].AwaitEntered();
    clock_->AwaitDeadline(clock_->Now() + absl::Seconds(2));
    clock_->Advance(absl::Seconds(2));
    EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kAbandoned);
  }
  ExpectThatAWorkerIsStopped();
}

// Whether a helper is stuck is a matter of real time: here time stands still.
// An attempt that is to be replaced, and does not end; nor does what it has registered.
// Before anything is overdue: hooks may take all helpers but one.
}  // namespace
}  // namespace foxtive::test
