// Copyright 2026 The Foxtive Supervisor Authors. SPDX-License-Identifier: MIT
//
// S10 and S12 on a manual clock: when the next attempt starts, and what makes the delays start
// anew. Each limit one microsecond before and at it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "foxtive/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_util.h"

namespace foxtive::test {
namespace {

using ::testing::ElementsAre;

constexpr absl::Duration kStep = absl::Microseconds(1);
constexpr absl::Duration kStable = absl::Seconds(10);

// What one attempt does. Time passes only because the attempt moves the clock.
struct Attempt {
  absl::Duration lasts = absl::ZeroDuration();
  bool marks_healthy = false;
  bool ok = false;
};

constexpr Attempt kFails;

// A supervisor on a manual clock and a task that follows a script; beyond its end attempts succeed.
class Rig {
 public:
  explicit Rig(std::vector<Attempt> script) : script_(std::move(script)) {
    supervisor_ = MakeSupervisor(OptionsWith(clock_));
  }

  TaskSpec SpecOf(BackoffStrategy backoff) {
    TaskSpec spec = Spec("task", [this](TaskContext& context) { return Run(context); });
    spec.backoff = std::move(backoff);
    spec.stable_after = kStable;
    return spec;
  }

  void Start(TaskSpec spec) { handle_.emplace(Submit(*supervisor_, std::move(spec))); }

  // Blocks until the task waits for the attempt after `attempts`, and returns how long it will.
  absl::Duration AwaitBackoff(int64_t attempts) { return test::AwaitBackoff(*handle_, attempts); }

  // Expects that the attempt after `attempts` starts `delay` after their end, and lets it start.
  // Returns what the task said meanwhile.
  TaskInfo ExpectDelay(size_t attempts, absl::Duration delay) {
    SCOPED_TRACE(attempts);
    EXPECT_EQ(AwaitBackoff(static_cast<int64_t>(attempts)), delay);
    EXPECT_EQ(handle_->info().next_attempt_in, delay);
    const absl::Duration end = clock_->Now();
    clock_->Advance(delay - kStep);
    Settle(*supervisor_);
    const TaskInfo info = handle_->info();
    EXPECT_EQ(info.state, TaskState::kBackingOff);
    EXPECT_EQ(info.next_attempt_in, kStep);
    EXPECT_EQ(info.in_state_for, delay - kStep);
    EXPECT_EQ(info.attempts, static_cast<int64_t>(attempts));
    EXPECT_EQ(starts_.size(), attempts);
    clock_->Advance(kStep);
    EXPECT_EQ(starts_.AwaitSize(attempts + 1)[attempts], end + delay);
    return info;
  }

  void ExpectDelays(const std::vector<absl::Duration>& delays) {
    for (size_t i = 0; i < delays.size(); ++i) ExpectDelay(i + 1, delays[i]);
  }

  SupervisionResult Result() { return AwaitResult(*handle_); }
  ManualClock& clock() { return *clock_; }
  TaskHandle& handle() { return *handle_; }
  Supervisor& supervisor() { return *supervisor_; }

 private:
  absl::Status Run(TaskContext& context) {
    starts_.Add(clock_->Now());
    const size_t index = static_cast<size_t>(context.attempt() - 1);
    const Attempt attempt = index < script_.size() ? script_[index] : Attempt{.ok = true};
    clock_->Advance(attempt.lasts);
    if (attempt.marks_healthy) context.MarkHealthy();
    return attempt.ok ? absl::OkStatus() : absl::UnavailableError("down");
  }

  const std::vector<Attempt> script_;
  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  Recorder<absl::Duration> starts_;
  std::optional<TaskHandle> handle_;
  std::unique_ptr<Supervisor> supervisor_;
};

// Expects these delays between attempts that fail at once.
void ExpectDelays(BackoffStrategy backoff, const std::vector<absl::Duration>& delays) {
  Rig rig(std::vector<Attempt>(delays.size()));
  rig.Start(rig.SpecOf(std::move(backoff)));
  rig.ExpectDelays(delays);
  EXPECT_EQ(rig.Result().total_attempts, static_cast<int64_t>(delays.size()) + 1);
}

std::vector<absl::Duration> InSeconds(const std::vector<int>& seconds) {
  std::vector<absl::Duration> delays;
  for (int count : seconds) delays.push_back(absl::Seconds(count));
  return delays;
}

// 1 s, 2 s, 4 s ...: the delay tells the number of consecutive failures.
BackoffStrategy Doubling() {
  return BackoffStrategy::Exponential(absl::Seconds(1), absl::Hours(1), 2);
}

TEST(Semantics, S10_ConstantDelaysAreWaitedOut) {
  ExpectDelays(BackoffStrategy::Constant(absl::Seconds(7)), InSeconds({7, 7, 7}));
}

TEST(Semantics, S10_ExponentialDelaysAreWaitedOut) {
  ExpectDelays(BackoffStrategy::Exponential(absl::Seconds(1), absl::Seconds(20), 3),
               InSeconds({1, 3, 9, 20, 20}));
}

TEST(Semantics, S10_DefaultDelaysAreWaitedOut) {
  ExpectDelays(BackoffStrategy::Exponential(), InSeconds({2, 4, 8, 16, 32, 60, 60}));
}

TEST(Semantics, S10_LinearDelaysAreWaitedOut) {
  ExpectDelays(BackoffStrategy::Linear(absl::Seconds(1), absl::Seconds(4), absl::Seconds(10)),
               InSeconds({1, 5, 9, 10, 10}));
}

TEST(Semantics, S10_FibonacciDelaysAreWaitedOut) {
  ExpectDelays(BackoffStrategy::Fibonacci(absl::Seconds(2), absl::Seconds(9)),
               InSeconds({2, 2, 4, 6, 9, 9}));
}

TEST(Semantics, S10_CustomDelaysAreWaitedOut) {
  ExpectDelays(BackoffStrategy::Custom([](int64_t failures) { return absl::Hours(failures); }),
               {absl::Hours(1), absl::Hours(2), absl::Hours(3)});
}

TEST(Semantics, S10_TheShortestAndTheLongestDelaysAreWaitedOut) {
  ExpectDelays(BackoffStrategy::Constant(2 * kStep), {2 * kStep, 2 * kStep});
  ExpectDelays(BackoffStrategy::Constant(absl::Hours(24 * 365 * 50)), {absl::Hours(24 * 365 * 50)});
}

TEST(Semantics, S10_AFractionOfANanosecondIsNotCutOff) {
  const absl::Duration quarter = absl::Nanoseconds(1) / 4;
  Rig rig({kFails});
  rig.Start(rig.SpecOf(BackoffStrategy::Constant(3 * quarter)));
  EXPECT_EQ(rig.AwaitBackoff(1), absl::Nanoseconds(1));
  rig.clock().Advance(2 * quarter);
  Settle(rig.supervisor());
  EXPECT_EQ(rig.handle().state(), TaskState::kBackingOff);
  rig.clock().Advance(kStep);
  EXPECT_EQ(rig.Result().total_attempts, 2);
}

TEST(Semantics, S10_ADelayOfZeroNeedsNoTime) {
  for (absl::Duration lasts : {absl::ZeroDuration(), kStep, absl::Nanoseconds(1)}) {
    const Attempt fails{.lasts = lasts};
    Rig rig({fails, fails, fails});
    rig.Start(rig.SpecOf(BackoffStrategy::Constant(absl::ZeroDuration())));
    const SupervisionResult result = rig.Result();
    EXPECT_EQ(result.total_attempts, 4);
    EXPECT_EQ(result.elapsed, 3 * lasts);
  }
}

// A jittered delay has fractions of a microsecond, which may be rounded up.
TEST(Semantics, S10_JitteredDelaysStayInTheirRangeAndAreWaitedOut) {
  Rig rig(std::vector<Attempt>(5));
  rig.Start(rig.SpecOf(BackoffStrategy::Constant(absl::Seconds(10)).WithJitter(0.5)));
  for (int64_t attempts = 1; attempts <= 5; ++attempts) {
    const absl::Duration delay = rig.AwaitBackoff(attempts);
    EXPECT_GE(delay, absl::Seconds(5));
    EXPECT_LE(delay, absl::Seconds(15));
    rig.clock().Advance(delay - kStep);
    Settle(rig.supervisor());
    EXPECT_EQ(rig.handle().state(), TaskState::kBackingOff);
    // Shown in whole nanoseconds, rounded up; and so is the time of the end, from which it counts.
    const absl::Duration left = rig.handle().info().next_attempt_in;
    EXPECT_GE(left, kStep);
    EXPECT_LT(left, kStep + absl::Nanoseconds(2));
    rig.clock().Advance(2 * kStep);
  }
  EXPECT_EQ(rig.Result().total_attempts, 6);
}

TEST(Semantics, S10_AFarJumpOfTheClockStartsOneAttemptOnly) {
  Rig rig({kFails, kFails});
  rig.Start(rig.SpecOf(BackoffStrategy::Constant(absl::Seconds(1))));
  rig.AwaitBackoff(1);
  rig.clock().Advance(absl::Hours(1));
  rig.ExpectDelay(2, absl::Seconds(1));
  EXPECT_EQ(rig.Result().elapsed, absl::Hours(1) + absl::Seconds(1));
}

TEST(Semantics, S10_AfterOkUnderAnyExitTheFirstDelayIsWaited) {
  Rig rig({{.ok = true}, {.ok = true}, {.ok = true}});
  TaskSpec spec = rig.SpecOf(Doubling());
  spec.restart_on = RestartOn::kAnyExit;
  rig.Start(std::move(spec));
  rig.ExpectDelays(InSeconds({1, 1, 1}));
}

TEST(Semantics, S10_OkEndsARowOfFailures) {
  Rig rig({kFails, kFails, {.ok = true}, kFails, kFails});
  TaskSpec spec = rig.SpecOf(Doubling());
  spec.restart_on = RestartOn::kAnyExit;
  rig.Start(std::move(spec));
  rig.ExpectDelays(InSeconds({1, 2, 1, 1, 2}));
}

TEST(Semantics, S10_ARetriedSetupBacksOff) {
  Recorder<absl::Duration> calls;
  Rig rig(std::vector<Attempt>(0));
  TaskSpec spec = rig.SpecOf(Doubling());
  spec.retry_setup = true;
  spec.hooks.setup = [&] {
    calls.Add(rig.clock().Now());
    return calls.size() <= 2 ? absl::UnavailableError("setup") : absl::OkStatus();
  };
  const absl::Duration start = rig.clock().Now();
  rig.Start(std::move(spec));
  const std::vector<absl::Duration> delays = InSeconds({1, 2});
  for (size_t i = 0; i < delays.size(); ++i) {
    calls.AwaitSize(i + 1);
    EXPECT_EQ(rig.AwaitBackoff(0), delays[i]);
    rig.clock().Advance(delays[i] - kStep);
    Settle(rig.supervisor());
    EXPECT_EQ(rig.handle().state(), TaskState::kBackingOff);
    rig.clock().Advance(kStep);
  }
  EXPECT_EQ(rig.Result().total_attempts, 1);
  EXPECT_THAT(calls.Entries(),
              ElementsAre(start, start + absl::Seconds(1), start + absl::Seconds(3)));
}

TEST(Semantics, S10_ElapsedIsMeasuredFromStartToEnd) {
  Rig rig({{.lasts = absl::Seconds(3)}, {.lasts = absl::Seconds(4), .ok = true}});
  rig.Start(rig.SpecOf(BackoffStrategy::Constant(absl::Seconds(20))));
  rig.ExpectDelay(1, absl::Seconds(20));
  EXPECT_EQ(rig.Result().elapsed, absl::Seconds(27));
}

TEST(Semantics, S10_WaitTimesOutWhenItsTimeIsOver) {
  Rig rig({kFails});
  rig.Start(rig.SpecOf(BackoffStrategy::Constant(absl::Hours(1))));
  const absl::Duration deadline = rig.clock().Now() + absl::Seconds(5);
  auto wait = std::async(std::launch::async, [&] { return rig.handle().Wait(absl::Seconds(5)); });
  rig.clock().AwaitDeadline(deadline);
  rig.clock().Advance(absl::Seconds(5) - kStep);
  Settle(rig.supervisor());
  EXPECT_NE(wait.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  rig.clock().Advance(kStep);
  EXPECT_EQ(Await(wait, "Wait").status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(Semantics, S10_WaitWithoutTimeDoesNotWait) {
  Rig rig({kFails});
  rig.Start(rig.SpecOf(BackoffStrategy::Constant(absl::Hours(1))));
  for (absl::Duration timeout : {absl::ZeroDuration(), -kStep, -absl::InfiniteDuration()}) {
    EXPECT_EQ(rig.handle().Wait(timeout).status().code(), absl::StatusCode::kDeadlineExceeded);
  }
  rig.ExpectDelay(1, absl::Hours(1));
  rig.Result();
  for (absl::Duration timeout : {absl::ZeroDuration(), -kStep, -absl::InfiniteDuration()}) {
    EXPECT_TRUE(rig.handle().Wait(timeout).ok());
  }
}

TEST(Semantics, S10_SleepForSleepsItsTime) {
  auto clock = std::make_shared<ManualClock>();
  auto supervisor = MakeSupervisor(OptionsWith(clock));
  bool slept = false;
  TaskHandle handle = Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    slept = context.SleepFor(absl::Seconds(5));
  }));
  clock->AwaitDeadline(clock->Now() + absl::Seconds(5));
  clock->Advance(absl::Seconds(5) - kStep);
  Settle(*supervisor);
  EXPECT_EQ(handle.state(), TaskState::kRunning);
  clock->Advance(kStep);
  EXPECT_EQ(AwaitResult(handle).elapsed, absl::Seconds(5));
  EXPECT_TRUE(slept);
}

TEST(Semantics, S10_SleepForNoTimeDoesNotSleep) {
  auto supervisor = MakeSupervisor(OptionsWith(std::make_shared<ManualClock>()));
  EventLog log;
  AwaitResult(Submit(*supervisor, Spec("task", [&](TaskContext& context) {
    for (absl::Duration duration : {absl::ZeroDuration(), -kStep, -absl::InfiniteDuration()}) {
      log.Add(context.SleepFor(duration) ? "slept" : "cut short");
    }
  })));
  EXPECT_THAT(log.Entries(), ElementsAre("slept", "slept", "slept"));
}

// The delays after attempts of which the third lasts `lasts`.
void ExpectDelaysIfTheThirdLasts(absl::Duration lasts, const std::vector<int>& seconds) {
  Rig rig({kFails, kFails, {.lasts = lasts}, kFails});
  rig.Start(rig.SpecOf(Doubling()));
  rig.ExpectDelays(InSeconds(seconds));
}

TEST(Semantics, S12_ARunShortOfStableAfterCountsOn) {
  ExpectDelaysIfTheThirdLasts(kStable - kStep, {1, 2, 4, 8});
}

TEST(Semantics, S12_ARunOfStableAfterStartsTheDelaysAnew) {
  ExpectDelaysIfTheThirdLasts(kStable, {1, 2, 1, 2});
  ExpectDelaysIfTheThirdLasts(kStable + kStep, {1, 2, 1, 2});
}

TEST(Semantics, S12_MarkHealthyStartsTheDelaysAnew) {
  Rig rig({kFails, kFails, {.marks_healthy = true}, kFails});
  rig.Start(rig.SpecOf(Doubling()));
  rig.ExpectDelays(InSeconds({1, 2, 1, 2}));
  EXPECT_EQ(rig.Result().total_attempts, 5);
}

TEST(Semantics, S12_InfoCountsConsecutiveFailures) {
  Rig rig({kFails, kFails, {.lasts = kStable}, kFails});
  rig.Start(rig.SpecOf(Doubling()));
  std::vector<int64_t> counts;
  const std::vector<absl::Duration> delays = InSeconds({1, 2, 1, 2});
  for (size_t i = 0; i < delays.size(); ++i) {
    counts.push_back(rig.ExpectDelay(i + 1, delays[i]).consecutive_failures);
  }
  EXPECT_THAT(counts, ElementsAre(1, 2, 1, 2));
}

// How many attempts, each as long as `lasts`, `MaxAttempts(2)` allows until one succeeds.
SupervisionResult ResultOfTwoInARow(absl::Duration stable_after, Attempt attempt) {
  Rig rig(std::vector<Attempt>(5, attempt));
  TaskSpec spec = rig.SpecOf(BackoffStrategy::Constant(absl::ZeroDuration()));
  spec.stable_after = stable_after;
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  rig.Start(std::move(spec));
  return rig.Result();
}

TEST(Semantics, S12_ARunShortOfStableAfterCountsForMaxAttempts) {
  const SupervisionResult result = ResultOfTwoInARow(kStable, {.lasts = kStable - kStep});
  EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached);
  EXPECT_EQ(result.total_attempts, 2);
}

TEST(Semantics, S12_ARunOfStableAfterStartsMaxAttemptsAnew) {
  const SupervisionResult result = ResultOfTwoInARow(kStable, {.lasts = kStable});
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.total_attempts, 6);
}

TEST(Semantics, S12_MarkHealthyStartsMaxAttemptsAnew) {
  const SupervisionResult result = ResultOfTwoInARow(kStable, {.marks_healthy = true});
  EXPECT_EQ(result.final_status, SupervisionStatus::kCompletedNormally);
  EXPECT_EQ(result.total_attempts, 6);
}

TEST(Semantics, S12_TheStableRunItselfIsTheFirstOfTheNewRow) {
  Rig rig({kFails, {.lasts = kStable}, kFails});
  TaskSpec spec = rig.SpecOf(BackoffStrategy::Constant(absl::ZeroDuration()));
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  rig.Start(std::move(spec));
  const SupervisionResult result = rig.Result();
  EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached);
  EXPECT_EQ(result.total_attempts, 3);
}

TEST(Semantics, S12_WithStableAfterZeroEveryRunIsStable) {
  EXPECT_EQ(ResultOfTwoInARow(absl::ZeroDuration(), {}).total_attempts, 6);
}

TEST(Semantics, S12_WithStableAfterInfiniteNoRunIsStable) {
  const Attempt century{.lasts = absl::Hours(24 * 365 * 100)};
  EXPECT_EQ(ResultOfTwoInARow(absl::InfiniteDuration(), century).total_attempts, 2);
}

TEST(Semantics, S12_StableAfterIsAMinuteByDefault) {
  const absl::Duration by_default = TaskSpec{}.stable_after;
  EXPECT_EQ(ResultOfTwoInARow(by_default, {.lasts = absl::Minutes(1) - kStep}).total_attempts, 2);
  EXPECT_EQ(ResultOfTwoInARow(by_default, {.lasts = absl::Minutes(1)}).total_attempts, 6);
}

TEST(Semantics, S12_TimeInOnRestartIsNotTimeInRun) {
  Rig rig({kFails, {.lasts = kStable - kStep}, kFails});
  TaskSpec spec = rig.SpecOf(BackoffStrategy::Constant(absl::ZeroDuration()));
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  spec.hooks.on_restart = [&](int64_t) { rig.clock().Advance(kStable); };
  rig.Start(std::move(spec));
  EXPECT_EQ(rig.Result().total_attempts, 2);
}

TEST(Semantics, S12_TimeInHooksAfterRunIsNotTimeInRun) {
  Rig rig({kFails, kFails, kFails});
  TaskSpec spec = rig.SpecOf(BackoffStrategy::Constant(absl::ZeroDuration()));
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  spec.hooks.on_error = [&](const absl::Status&, int64_t) { rig.clock().Advance(kStable); };
  spec.hooks.should_restart = [&](int64_t, const absl::Status&) {
    rig.clock().Advance(kStable);
    return true;
  };
  rig.Start(std::move(spec));
  EXPECT_EQ(rig.Result().total_attempts, 2);
}

TEST(Semantics, S12_TimeInSetupIsNotTimeInRun) {
  int setups = 0;
  Rig rig({kFails, kFails, kFails});
  TaskSpec spec = rig.SpecOf(BackoffStrategy::Constant(absl::ZeroDuration()));
  spec.retry_setup = true;
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  spec.hooks.setup = [&] {
    rig.clock().Advance(kStable);
    return ++setups == 1 ? absl::UnavailableError("setup") : absl::OkStatus();
  };
  rig.Start(std::move(spec));
  EXPECT_EQ(rig.Result().total_attempts, 1);
}

TEST(Semantics, S12_ARunThatThrowsMayBeStable) {
  auto clock = std::make_shared<ManualClock>();
  auto supervisor = MakeSupervisor(OptionsWith(clock));
  TaskSpec spec = Spec("task", [&](TaskContext& context) {
    clock->Advance(kStable);
    if (context.attempt() < 6) throw std::runtime_error("broken");
  });
  spec.stable_after = kStable;
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  EXPECT_EQ(AwaitResult(Submit(*supervisor, std::move(spec))).total_attempts, 6);
}

TEST(Semantics, S12_ARunThatEndsWithOkStartsMaxAttemptsAnew) {
  Rig rig({kFails, {.ok = true}, kFails, {.ok = true}, kFails, kFails});
  TaskSpec spec = rig.SpecOf(BackoffStrategy::Constant(absl::ZeroDuration()));
  spec.restart_on = RestartOn::kAnyExit;
  spec.restart_policy = RestartPolicy::MaxAttempts(2);
  rig.Start(std::move(spec));
  const SupervisionResult result = rig.Result();
  EXPECT_EQ(result.final_status, SupervisionStatus::kMaxAttemptsReached);
  EXPECT_EQ(result.total_attempts, 6);
}

}  // namespace
}  // namespace foxtive::test
