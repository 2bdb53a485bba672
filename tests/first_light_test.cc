// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// The thinnest path through everything: a worker that fails and comes back.

#include <atomic>
#include <memory>
#include <stdexcept>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"

namespace foxtive {
namespace {

TEST(FirstLightTest, AWorkerFailsThrowsAndComesBack) {
  Supervisor supervisor;
  std::atomic<int> runs{0};
  absl::StatusOr<TaskHandle> handle =
      supervisor.Submit({.name = "worker",
                         .run =
                             [&runs](TaskContext& context) {
                               ++runs;
                               if (context.attempt() == 1) return absl::UnavailableError("no");
                               if (context.attempt() == 2) throw std::runtime_error("oh");
                               return absl::OkStatus();
                             },
                         .backoff = BackoffStrategy::Constant(absl::Milliseconds(1))});
  ASSERT_TRUE(handle.ok()) << handle.status();
  const absl::StatusOr<SupervisionResult> result = handle->Wait();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result->total_attempts, 3);
  EXPECT_EQ(runs, 3);
}

TEST(FirstLightTest, AStopEndsASleep) {
  Supervisor supervisor;
  auto handle = supervisor.Submit({.name = "sleeper", .run = [](TaskContext& context) {
                                     context.SleepFor(absl::InfiniteDuration());
                                   }});
  ASSERT_TRUE(handle.ok());
  EXPECT_TRUE(handle->RequestStop());
  EXPECT_EQ(handle->Wait()->final_status, SupervisionStatus::kManuallyStopped);
}

TEST(FirstLightTest, TheDelayIsThatOfTheClock) {
  auto clock = std::make_shared<test::ManualClock>();
  auto supervisor = *Supervisor::Create({.clock = clock});
  const absl::Duration start = clock->Now();
  auto handle = supervisor->Submit({.name = "worker",
                                    .run = [] { return absl::UnavailableError("no"); },
                                    .restart_policy = RestartPolicy::MaxAttempts(2)});
  clock->AwaitDeadline(start + absl::Seconds(2));
  EXPECT_EQ(handle->attempts(), 1);
  clock->Advance(absl::Seconds(2));
  EXPECT_EQ(handle->Wait()->final_status, SupervisionStatus::kMaxAttemptsReached);
  EXPECT_EQ(handle->Wait()->elapsed, absl::Seconds(2));
}

}  // namespace
}  // namespace foxtive
