// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S24: a crash loop without a delay on the only lane keeps nobody else waiting.

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gtest/gtest.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

// A Supervisor with one lane, where a task crashes again and again until the test ends.
class FairnessTest : public ::testing::Test {
 protected:
  FairnessTest() {
    loop_ = Submit(*supervisor_, Spec("loop", [this] {
      if (++crashes_ > 100) looping_.Notify();
      return absl::UnavailableError("down");
    }));
    looping_.Await("the loop to be in full swing");
  }

  std::atomic<int64_t> crashes_{0};
  Notification looping_;
  std::unique_ptr<Supervisor> supervisor_ = MakeSupervisor({.max_concurrency = 1});
  TaskHandle loop_;
};

TEST_F(FairnessTest, S24_ASubmittedTaskGetsTheLane) {
  for (int i = 0; i < 100; ++i) {
    AwaitResult(Submit(*supervisor_, Spec("other", [] {})));
  }
  EXPECT_FALSE(loop_.TryResult().has_value());
}

TEST_F(FairnessTest, S24_TwoLoopsShareTheLane) {
  const TaskHandle other = Submit(*supervisor_, Spec("other", [](TaskContext& context) {
    return context.attempt() < 10'000 ? absl::UnavailableError("down") : absl::OkStatus();
  }));
  const int64_t before = crashes_;
  AwaitResult(other);
  EXPECT_GT(crashes_, before);
}

TEST_F(FairnessTest, S24_AStopOfTheLoopIsSeen) {
  EXPECT_TRUE(loop_.RequestStop());
  EXPECT_EQ(AwaitResult(loop_).final_status, SupervisionStatus::kManuallyStopped);
}

TEST_F(FairnessTest, S24_AStopOfATaskThatWaitsIsSeen) {
  TaskSpec spec = Spec("waiting", [] { return absl::UnavailableError("down"); });
  spec.backoff = BackoffStrategy::Constant(absl::Hours(1));
  const TaskHandle waiting = Submit(*supervisor_, std::move(spec));
  AwaitState(waiting, TaskState::kBackingOff);
  EXPECT_TRUE(waiting.RequestStop());
  EXPECT_EQ(AwaitResult(waiting).total_attempts, 1);
}

TEST_F(FairnessTest, S24_ADeadlineOfAnotherTaskIsKept) {
  TaskSpec spec = Spec("other", [](TaskContext& context) {
    return context.attempt() < 20 ? absl::UnavailableError("down") : absl::OkStatus();
  });
  spec.backoff = BackoffStrategy::Constant(absl::Microseconds(100));
  EXPECT_EQ(AwaitResult(Submit(*supervisor_, std::move(spec))).total_attempts, 20);
}

// While nobody waits the loop keeps its lane, which is what makes it fast.
TEST_F(FairnessTest, S24_AloneItGoesOn) {
  const int64_t before = crashes_;
  while (crashes_ < before + 10'000) std::this_thread::yield();
  EXPECT_EQ(loop_.state(), TaskState::kRunning);
}

}  // namespace
}  // namespace foxtive::test
