// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// TaskSpec::initial_delay: the first attempt waits, as others wait for a backoff.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"
#include "tests/support/workers.h"

namespace foxtive::test {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

constexpr absl::Duration kDelay = absl::Seconds(10);
constexpr absl::Duration kTick = absl::Nanoseconds(1);

class InitialDelayTest : public ::testing::Test {
 protected:
  TaskSpec Delayed(std::string name) {
    TaskSpec spec = Spec(std::move(name), [this] { runs_.Add(clock_->NowNanos()); });
    spec.initial_delay = kDelay;
    return spec;
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  Recorder<int64_t> runs_;
  std::unique_ptr<Supervisor> supervisor_ = MakeSupervisor(OptionsWith(clock_));
};

TEST_F(InitialDelayTest, TheFirstAttemptIsNotEarly) {
  EventLog log;
  TaskSpec spec = Delayed("task");
  spec.hooks = LoggingHooks(log);
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  EXPECT_EQ(AwaitBackoff(handle, 0), kDelay);
  clock_->Advance(kDelay - kTick);
  Settle(*supervisor_);
  EXPECT_EQ(log.size(), 0u) << "setup waits as well";
  EXPECT_EQ(handle.info().next_attempt_in, kTick);
  EXPECT_EQ(handle.attempts(), 0);
  clock_->Advance(kTick);
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.elapsed, kDelay);
}

TEST_F(InitialDelayTest, ARegisteredTaskWaitsFromItsStart) {
  const TaskHandle handle = Register(*supervisor_, Delayed("task"));
  clock_->Advance(2 * kDelay);
  EXPECT_EQ(handle.state(), TaskState::kRegistered);
  ASSERT_TRUE(supervisor_->StartAll().ok());
  EXPECT_EQ(AwaitBackoff(handle, 0), kDelay);
  EXPECT_EQ(supervisor_->task_count(), 1u);
  clock_->Advance(kDelay);
  AwaitResult(handle);
}

TEST_F(InitialDelayTest, IsNoDelayOfARestart) {
  TaskSpec spec = Delayed("task");
  spec.run = [](TaskContext& context) {
    return context.attempt() < 3 ? absl::UnavailableError("down") : absl::OkStatus();
  };
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  AwaitBackoff(handle, 0);
  clock_->Advance(kDelay);
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.total_attempts, 3);
  EXPECT_EQ(result.elapsed, kDelay);
}

// No hook has anything to undo.
TEST_F(InitialDelayTest, S11_AStopEndsTheWaitAtOnce) {
  EventLog log;
  TaskSpec spec = Delayed("task");
  spec.hooks = LoggingHooks(log);
  const TaskHandle handle = Submit(*supervisor_, std::move(spec));
  AwaitBackoff(handle, 0);
  EXPECT_TRUE(handle.RequestStop());
  const SupervisionResult result = AwaitResult(handle);
  EXPECT_EQ(result.final_status, SupervisionStatus::kManuallyStopped);
  EXPECT_EQ(result.total_attempts, 0);
  EXPECT_EQ(log.size(), 0u);
  clock_->Advance(2 * kDelay);
  Settle(*supervisor_);
  EXPECT_EQ(runs_.size(), 0u);
}

TEST_F(InitialDelayTest, AShutdownDoesNotWaitForIt) {
  const TaskHandle handle = Submit(*supervisor_, Delayed("task"));
  EXPECT_TRUE(supervisor_->Shutdown(absl::InfiniteDuration()).ok());
  EXPECT_EQ(AwaitResult(handle).final_status, SupervisionStatus::kManuallyStopped);
}

TEST_F(InitialDelayTest, IsSpreadAsTheBackoffIs) {
  std::set<absl::Duration> delays;
  for (int i = 0; i < 50; ++i) {
    TaskSpec spec = Delayed(absl::StrCat("task-", i));
    // Its longest delay is none of the first one's business.
    spec.backoff = BackoffStrategy::Exponential(absl::Seconds(1), absl::Seconds(2)).WithJitter(0.2);
    const TaskHandle handle = Submit(*supervisor_, std::move(spec));
    const absl::Duration delay = AwaitBackoff(handle, 0);
    EXPECT_THAT(delay, AllOf(Ge(0.8 * kDelay), Le(1.2 * kDelay)));
    delays.insert(delay);
  }
  EXPECT_GT(delays.size(), 40u);
  EXPECT_LT(*delays.begin(), 0.9 * kDelay);
  EXPECT_GT(*delays.rbegin(), 1.1 * kDelay);
}

TEST_F(InitialDelayTest, IsTheSameForTheSameSeed) {
  const auto delay_with = [&](uint64_t seed) {
    SupervisorOptions options = OptionsWith(clock_);
    options.seed = seed;
    auto supervisor = MakeSupervisor(std::move(options));
    TaskSpec spec = Delayed("task");
    spec.backoff = BackoffStrategy::Constant(absl::Seconds(1)).WithJitter(1);
    return AwaitBackoff(Submit(*supervisor, std::move(spec)), 0);
  };
  EXPECT_EQ(delay_with(1), delay_with(1));
  EXPECT_NE(delay_with(1), delay_with(2));
}

}  // namespace
}  // namespace foxtive::test
